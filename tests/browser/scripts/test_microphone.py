"""The microphone: a voice is recorded, judged, heard again and discarded."""

import io
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.async_api import expect

from tests.browser import devices
from tests.browser.scripts.opening import (
    LIVE,
    Opens,
    chosen,
    in_input,
    launched,
    opened,
    until,
)
from tests.browser.scripts.pages import Site


async def test_a_voice_is_recorded_heard_again_and_sent(opens: Opens, site: Site) -> None:
    async with opens("voice") as page:
        record, stop = (page.get_by_role("button", name=one) for one in ("Record", "Stop"))
        await record.press("Enter")
        await expect(stop).to_be_focused()
        await expect(record).to_be_hidden()
        meter = "document.querySelector('meter').value"
        await until(page, f"{meter} > 0.4")
        await expect(page.locator("[data-seconds]")).to_have_text("6", timeout=15_000)
        assert await page.evaluate(LIVE) == 1
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-record-status]")).to_have_text("GOOD")
        await expect(record).to_be_focused()
        await expect(page.locator("meter")).to_be_hidden()
        assert await page.evaluate(LIVE) == 0
        await page.locator("audio").evaluate("(one) => one.play()")
        await until(page, "document.querySelector('audio').currentTime > 0.2")
        assert len(await chosen(page)) == 1
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_text("Sent.")).to_be_visible()
    ((name, kind, content),) = site.sent[0]["voice"]
    assert (name[:6], name[-5:], kind) == ("voice-", ".webm", "audio/webm")
    assert 5 < seconds_of(content) < 9


async def test_a_recording_ends_by_itself_and_can_be_discarded(opens: Opens) -> None:
    async with opens("voice-short") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-record-status]")).to_have_text("SHORT")
        assert await page.evaluate(LIVE) == 0
        discard = page.get_by_role("button", name="Discard")
        for remove in (discard, page.get_by_role("button", name="Remove voice")):
            if await discard.is_hidden():
                await page.get_by_role("button", name="Record").click()
            await expect(discard).to_be_visible()
            await remove.press("Enter")
            assert await in_input(page) == await chosen(page) == []
            await expect(discard).to_be_hidden()
            await expect(page.locator("audio")).to_be_hidden()
            await expect(page.locator("[data-record-status]")).to_have_text("")


async def test_another_file_takes_the_recording_s_place(opens: Opens) -> None:
    other = {"name": "other.wav", "mimeType": "audio/wav", "buffer": b"RIFF"}
    async with opens("voice-short") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("audio")).to_be_visible()
        await page.get_by_label("Voice").set_input_files([other])
        assert await chosen(page) == await in_input(page) == ["other.wav"]
        await expect(page.locator("audio")).to_be_hidden()


async def test_leaving_the_page_ends_a_recording(opens: Opens) -> None:
    async with opens("voice") as page:
        await page.get_by_role("button", name="Record").click()
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
        assert await page.evaluate(LIVE) == 0
        assert await in_input(page) == []
        await expect(page.get_by_role("button", name="Record")).to_be_visible()


@pytest.mark.parametrize(("gain", "said"), [(0.002, "QUIET"), (40.0, "CLIPPING")])
async def test_a_recording_too_quiet_or_too_loud_is_told(
    site: Site, tmp_path: Path, gain: float, said: str
) -> None:
    async with (
        launched(louder(devices.microphone(tmp_path / "voice.wav"), gain)) as browser,
        opened(browser, site, "voice") as page,
    ):
        await page.get_by_role("button", name="Record").click()
        await expect(page.locator("[data-seconds]")).to_have_text("6", timeout=15_000)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("[data-record-status]")).to_have_text(said)


def louder(path: Path, gain: float) -> Path:
    """The same recording, cut off where it is too loud."""
    with wave.open(str(path), "rb") as recording:
        how = recording.getparams()
        samples = np.frombuffer(recording.readframes(how.nframes), dtype=np.int16)
    with wave.open(str(path), "wb") as recording:
        recording.setparams(how)
        recording.writeframes((samples * gain).clip(-32768, 32767).astype(np.int16).tobytes())
    return path


def seconds_of(content: bytes) -> float:
    """How long the sound is, decoded by what the server decodes it with."""
    with av.open(io.BytesIO(content)) as sound:
        return sum(frame.samples / frame.sample_rate for frame in sound.decode(audio=0))
