from __future__ import annotations

from engineio.packet import MESSAGE, NOOP, Packet

from tickstream.ws_bridge.adapters.engine import Outbox


async def test_what_a_client_doesnt_come_for_is_known_in_packets_and_bytes() -> None:
    box = Outbox()
    for packet in (Packet(MESSAGE, "x" * 1_000), Packet(NOOP), Packet(MESSAGE, "y" * 500), None):
        box.put_nowait(packet)
    assert (box.unwritten, box.bytes) == (4, 1_500)
    await box.get()
    box.task_done()
    assert (box.unwritten, box.bytes) == (3, 500)
    while not box.empty():
        box.get_nowait()
        box.task_done()
    assert (box.unwritten, box.bytes) == (0, 0)
