"""Objecting: from the first page to a no that every service is told, and back."""

from datetime import UTC, datetime

import pytest

from registry.policy.vocabulary import ObjectionState
from registry.recordings import spoken
from tests import acts
from tests.browser import people
from tests.browser.conftest import Walk
from tests.browser.devices import OTHER_SENTENCE, SENTENCE, VOICE
from tests.browser.people import written_down
from tests.browser.records import Records
from tests.browser.ways import ENDS, EVERY, PAIRS, Way

MOST_INTERACTIONS = 12
SPEECH = {"modalities": ["VOICE"], "use": "SYNTHESIZE_SPEECH"}
ALIASES = ["Anna B.", "布鲁姆"]
LINK = "https://video.example/watch?v=anna"
PHOTO = "photo of Barack.jpg"  # its name is personal too


@pytest.mark.parametrize("way", EVERY, ids=str)
async def test_object_by_photo(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    assert not await records.forbids(photos["obama2"])
    async with walk(way) as walker:
        walker.keeps(PHOTO)
        await walker.open("/")
        await walker.look("start")
        await walker.send(people.LEAD)
        await walker.look("object")
        await walker.upload("#photo", (PHOTO, "image/jpeg", photos["obama"]))
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
        await walker.look("done")
        assert await records.forbids(photos["obama2"])  # another picture of the same man
        assert not await records.forbids(photos["biden"])
        assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]
        await walker.context.clear_cookies()
        await walker.open("/case")
        await walker.look("sign in")
        await people.sign_in(walker, kept)
        await walker.look("my case")


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_object_by_names_and_links(walk: Walk, way: Way, records: Records) -> None:
    name = "安娜·布鲁姆" if way.language == "zh-Hans" else "Anna Blume"
    async with walk(way) as walker:
        walker.keeps(*ALIASES, LINK)
        await people.to_the_form(walker)
        await walker.fill("#name", name)
        await walker.click("details:has(#aliases) > summary")
        await walker.fill("#aliases", "\n".join(ALIASES))
        await walker.fill("#links", LINK)
        await walker.fill("#contact", "anna@example.org")
        await walker.look("filled in")
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
    person = await records.person(kept)
    assert (person["name"], person["aliases"], person["links"]) == (name, ALIASES, [LINK])
    assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_nothing_by_which_to_know_somebody_is_refused(
    walk: Walk, way: Way, records: Records
) -> None:
    before = await records.cases()
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.tick(people.CONFIRMED)
        answer = await walker.send()
        assert answer.status == 422
        await walker.look("nothing given")
        assert await walker.at("#name[aria-invalid=true]").count() == 1
        await walker.fill("#name", "Anna Blume")
        await walker.send()
        await written_down(walker)
    assert await records.cases() == before + 1


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_object_by_voice(walk: Walk, way: Way, records: Records) -> None:
    mine, other = (spoken(one, VOICE) for one in (SENTENCE, OTHER_SENTENCE))
    assert not await records.forbids(other, **SPEECH)
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.upload("#voice", ("me.wav", "audio/wav", mine))
        await walker.look("voice chosen")
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
    assert await records.samples(kept.number) == 1
    assert await records.forbids(other, **SPEECH)


@pytest.mark.parametrize("way", PAIRS, ids=str)
async def test_a_child_objects_alone(walk: Walk, way: Way, records: Records) -> None:
    today = datetime.now(UTC).date()
    async with walk(way) as walker:
        await walker.open("/")
        await walker.send("main a[href='/object?young']")
        await walker.look("object when young")
        assert await walker.at("main a[href='/help?young']").count() == 1
        assert await walker.at("[name=age_group][value=MINOR]").is_checked()
        await walker.fill("#name", "Alice Liddell")
        await walker.fill("#age", "12", secret=False)
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
        await walker.look("done when young")
        assert await walker.at("main a[href^='/help']").count() == 1
    person = await records.person(kept)
    assert person["birthDate"] in {
        f"{today.replace(year=today.year - 12)}",
        f"{today.year - 12}-03-01",
    }
    assert await records.standing(kept.number) == [ObjectionState.PROVISIONAL]


async def test_object_to_some_purposes_only(
    walk: Walk, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(Way("en", "phone", scripts=False)) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", (PHOTO, "image/jpeg", photos["obama"]))
        await walker.tick("[name=level][value=COMMERCE]")
        await people.send_objection(walker)
    assert await records.forbids(photos["obama2"], purpose="ADVERTISING")
    assert not await records.forbids(photos["obama2"], purpose="NEWS")


@pytest.mark.parametrize("way", ENDS, ids=str)
async def test_object_to_exactly_what_one_chooses(
    walk: Walk, way: Way, photos: dict[str, bytes], records: Records
) -> None:
    async with walk(way) as walker:
        await people.to_the_form(walker)
        await walker.upload("#photo", (PHOTO, "image/jpeg", photos["obama"]))
        await walker.tick("[name=level][value=OWN]")
        if not await walker.at("[name=purpose]").first.is_visible():
            await walker.click("#level-choice details > summary")
        await walker.tick("[name=modality][value=FACE]")
        await walker.tick("[name=use][value=SWAP_FACE]")
        await walker.tick("[name=purpose][value=ADVERTISING]")
        await walker.look("own choice")
        kept = await people.send_objection(walker)
        assert walker.interactions <= MOST_INTERACTIONS
        await people.sign_in(walker, kept)
        await walker.look("my case with a choice")
    asked = {"use": "SWAP_FACE", "purpose": "ADVERTISING"}
    assert await records.forbids(photos["obama2"], **asked)
    assert not await records.forbids(photos["obama2"], **{**asked, "purpose": "FILM_TV"})
    assert not await records.forbids(photos["obama2"], **{**asked, "use": "GENERATE_IMAGE"})


@pytest.mark.parametrize(
    "way", [Way("en", "phone", dark=True), Way("zh-Hans", "desktop", scripts=False)]
)
async def test_object_by_keyboard_alone(walk: Walk, way: Way, records: Records) -> None:
    before = await records.cases()
    async with walk(way) as walker:
        await walker.open("/")
        await walker.tab_to(people.LEAD)
        await walker.enter()
        await walker.tab_to("#name")
        walker.keeps("Anna Blume")
        await walker.page.keyboard.type("Anna Blume")
        await walker.tab_to(people.CONFIRMED)
        await walker.press("Space")
        await walker.tab_to("main form [type=submit]")
        await walker.enter()
        await written_down(walker)
        await walker.tab_to("main a[href='/case']")
    assert await records.cases() == before + 1


async def test_a_second_no_for_the_same_face_is_heard(
    walk: Walk, photos: dict[str, bytes], records: Records
) -> None:
    """Whoever was first, and took it back, disarms nobody's later no: at least a person must look.

    Two unproved records of one face may be two people who look alike.
    """
    heard = []
    for _ in range(2):
        async with walk(Way("en", "phone", scripts=False)) as walker:
            await people.to_the_form(walker)
            await walker.upload("#photo", (PHOTO, "image/jpeg", photos["obama"]))
            kept = await people.send_objection(walker)
        heard.append(acts.codes(await records.about(photos["obama2"])))
        assert await records.forbids(photos["obama"])  # the picture that was sent
        await records.withdraw(kept)
        assert not await records.forbids(photos["obama"])
    first, second = heard
    assert "OBJECTION" in first
    assert second & {"OBJECTION", "AMBIGUOUS"}
