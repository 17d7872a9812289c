"""Places at a server: first come, first served, fewer where it is pressed."""

from __future__ import annotations

import asyncio

import pytest

from valuesim.agents.slots import Slots


async def entered(slots: Slots) -> None:
    await slots.__aenter__()


async def test_no_more_are_in_than_there_are_places_and_the_first_to_wait_is_served_first() -> None:
    slots, order = Slots(2), list[int]()

    async def one(number: int) -> None:
        async with slots:
            order.append(number)
            assert slots.busy <= 2
            await asyncio.sleep(0)

    await asyncio.gather(*map(one, range(6)))
    assert order == list(range(6))
    assert slots.busy == 0


async def test_a_pressed_server_is_given_less_and_then_slowly_more() -> None:
    slots = Slots(10)
    slots.pressed()
    assert slots.limit == pytest.approx(7.0)
    slots.pressed()
    assert slots.limit == pytest.approx(4.9)
    grown = []
    for _ in range(60):
        slots.eased()
        grown.append(slots.limit)
    assert grown == sorted(grown)
    assert 5.8 < grown[4] < 6.0, "about one place in as many successes as there are places"
    assert slots.limit == 10.0
    for _ in range(50):
        slots.pressed()
    assert slots.limit == 1.0


async def test_one_wave_of_refusals_is_one_cut() -> None:
    slots = Slots(8)
    for _ in range(8):
        await entered(slots)
    slots.pressed()
    for _ in range(8):
        slots.pressed()
    assert slots.limit == pytest.approx(5.6)


async def test_a_lower_limit_holds_for_those_who_wait() -> None:
    slots = Slots(4)
    for _ in range(4):
        await entered(slots)
    waiting = [asyncio.create_task(entered(slots)) for _ in range(4)]
    await asyncio.sleep(0)
    slots.pressed()
    await slots.__aexit__(None, None, None)
    await slots.__aexit__(None, None, None)
    await asyncio.sleep(0)
    assert slots.busy == 2
    assert sum(task.done() for task in waiting) == 0
    await slots.__aexit__(None, None, None)
    await asyncio.sleep(0)
    assert (slots.busy, sum(task.done() for task in waiting)) == (2, 1)
    for task in waiting:
        task.cancel()


async def test_whoever_gives_up_waiting_takes_no_place() -> None:
    slots = Slots(1)
    await entered(slots)
    patient, hasty = (asyncio.create_task(entered(slots)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    await slots.__aexit__(None, None, None)
    await asyncio.gather(patient, hasty, return_exceptions=True)
    assert slots.busy == 1
    # served and cancelled at once: the place goes back
    late = asyncio.create_task(entered(slots))
    await asyncio.sleep(0)
    await slots.__aexit__(None, None, None)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    assert slots.busy == 0
