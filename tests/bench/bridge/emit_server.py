"""What one would write without the bridge: stock python-socketio, a room a symbol, one emit a tick.

Usage: python -m tests.bench.bridge.emit_server PORT
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import socketio
import uvloop
from aiohttp import web

from tickstream.core.codec import Codecs
from tickstream.core.kafka import Kafka, TopicPartition
from tickstream.core.model import Tick
from tickstream.core.settings import KafkaSettings, load

server = socketio.AsyncServer(async_mode="aiohttp")


async def subscribe(sid: str, request: dict[str, Any]) -> dict[str, Any]:
    for symbol in request["symbols"]:
        await server.enter_room(sid, symbol)
    return {"ok": True}


async def read() -> None:
    kafka = Kafka(load(KafkaSettings, "BENCH", [], os.environ))
    codec = Codecs().of(Tick)
    consumer = kafka.reader()
    topic = kafka.topic("stock_ticks")
    consumer.assign([TopicPartition(topic, number, -1) for number in range(kafka.partitions("stock_ticks"))])
    while True:
        messages = await asyncio.to_thread(consumer.consume, 500, 0.02)
        for message in messages:
            if message.error() is None:
                trade = codec.decode(message.value())
                record = {
                    "symbol": trade.symbol,
                    "price": trade.price,
                    "volume": trade.volume,
                    "ts_event_ms": trade.ts_event // 1_000_000,
                    "ts_ingest_ms": trade.ts_ingest // 1_000_000,
                    "seq": trade.seq,
                    "source": trade.source,
                    "venue": trade.venue,
                    "trade_id": trade.trade_id,
                    "conditions": trade.conditions,
                    "flags": trade.flags,
                }
                await server.emit("ticks", {"data": [record]}, room=trade.symbol)


async def serve(port: int) -> None:
    server.on("subscribe", subscribe)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await read()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
