"""What only scripts can do: the camera, the microphone, and a hash made on the person's device."""

import pytest
from playwright.async_api import Request

from registry.policy.vocabulary import ObjectionState
from registry.recordings import spoken
from tests.browser import devices, people
from tests.browser.conftest import Walk
from tests.browser.records import Records
from tests.browser.test_objecting import MOST_INTERACTIONS, SPEECH
from tests.browser.ways import SCRIPTED, Way

SECONDS = 7  # of speech; five are enough


@pytest.mark.parametrize("way", SCRIPTED, ids=str)
async def test_object_by_camera_and_microphone(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    said = spoken(devices.OTHER_SENTENCE, devices.VOICE)
    assert not await records.forbids(photos["astronaut"])
    assert not await records.forbids(said, **SPEECH)
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.click("[data-camera]")
        await walker.until("document.querySelector('[data-camera-dialog] video').videoWidth > 0")
        await walker.look("camera")
        await walker.click("[data-take]")
        await walker.at("[data-photos] [data-chosen] li").wait_for()
        await walker.click("[data-record]")
        await walker.until(
            f"Number(document.querySelector('[data-seconds]').textContent) >= {SECONDS}"
        )
        await walker.picture("recording")
        await walker.click("[data-stop]")
        await walker.at("[data-playback]").wait_for()
        await walker.look("photo and recording")
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
    assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]
    assert await records.samples(kept.number) == 2
    assert await records.forbids(photos["astronaut"])
    assert await records.forbids(said, **SPEECH)


@pytest.mark.parametrize("way", SCRIPTED, ids=str)
async def test_object_by_a_hash_made_on_the_device(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    photo, sent = photos["obama"], list[bytes]()

    def note(request: Request) -> None:
        sent.append(request.post_data_buffer or b"")

    assert not await records.forbids(photo)
    async with walk(way) as walker:
        walker.page.on("request", note)
        await people.to_the_form(walker)
        await walker.upload("#photo", ("me.jpg", "image/jpeg", photo))
        await walker.tick("[data-hash-only]")
        await walker.look("on the device")
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
    assert any(b'name="imageHash"' in one for one in sent)
    assert max(len(one) for one in sent) < 10_000 < len(photo)
    assert await records.samples(kept.number) == 0
    assert await records.forbids(photo)
    assert not await records.forbids(photos["obama2"])  # as the page says


async def test_the_camera_may_be_refused(walk: Walk) -> None:
    async with walk(Way("en", "phone")) as walker:
        await walker.page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('no', 'NotAllowedError') }"
        )
        await people.to_the_form(walker)
        await walker.click("[data-camera]")
        await walker.until("document.querySelector('[data-camera-status]').textContent !== ''")
        await walker.click("[data-record]")
        await walker.until("document.querySelector('[data-record-status]').textContent !== ''")
        await walker.look("refused")
        assert not await walker.at("[data-camera-dialog]").is_visible()
