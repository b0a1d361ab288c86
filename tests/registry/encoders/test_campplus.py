from pathlib import Path

import numpy as np
import pytest

from registry.encoders.conversion import campplus
from registry.encoders.onnx_session import open_session
from registry.errors import SetupError


@pytest.fixture(scope="session")
def network(models_dir: Path) -> object:
    return open_session((models_dir / "campplus.onnx").read_bytes(), "campplus.onnx")


def embedded(network: object, features: np.ndarray) -> np.ndarray:
    return network.run(["embedding"], {"input": features})[0]


def features(count: int, frames: int) -> np.ndarray:
    values = np.random.default_rng(frames).normal(0, 4, (count, frames, campplus.BINS))
    return values.astype(np.float32)


@pytest.mark.parametrize("frames", [98, 150, 199, 200, 201, 401])
def test_any_number_of_frames_is_embedded(network: object, frames: int) -> None:
    found = embedded(network, features(1, frames))
    assert found.shape == (1, 192)
    assert np.isfinite(found).all()


def test_a_batch_gives_what_each_alone_gives(network: object) -> None:
    batch = features(3, 250)
    alone = np.concatenate([embedded(network, one[None]) for one in batch])
    assert np.abs(embedded(network, batch) - alone).max() < 1e-4


def test_the_embedding_has_no_relu(network: object) -> None:
    assert (embedded(network, features(1, 300)) < 0).mean() > 0.2


def test_another_checkpoint_is_refused() -> None:
    with pytest.raises(SetupError, match="no checkpoint of CAM"):
        campplus.to_onnx({"head.conv1.weight": np.zeros((32, 1, 3, 3), np.float32)})
