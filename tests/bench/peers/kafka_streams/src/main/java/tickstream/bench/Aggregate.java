package tickstream.bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import tickstream.Bar;
import tickstream.Tick;

/** What is kept of the trades of one symbol and minute. */
final class Aggregate {
    private static final int SIZE = 7 * Double.BYTES;

    private double open;
    private double high;
    private double low;
    private double close;
    private double volume;
    private double value;
    private long trades;

    Aggregate add(Tick tick) {
        double price = tick.getPrice();
        if (trades == 0) {
            open = price;
            high = price;
            low = price;
        } else {
            high = Math.max(high, price);
            low = Math.min(low, price);
        }
        close = price;
        volume += tick.getVolume();
        value += price * tick.getVolume();
        trades += 1;
        return this;
    }

    Bar bar(String symbol, long startMillis, long endMillis) {
        Bar bar = new Bar();
        bar.setSymbol(symbol);
        bar.setInterval("1m");
        bar.setStart(startMillis * 1_000_000);
        bar.setEnd(endMillis * 1_000_000);
        bar.setOpen(open);
        bar.setHigh(high);
        bar.setLow(low);
        bar.setClose(close);
        bar.setVolume(volume);
        bar.setVwap(volume > 0 ? value / volume : close);
        bar.setTrades(trades);
        bar.setState("closed");
        bar.setRevision(0);
        bar.setActivity("traded");
        bar.setSession("regular");
        return bar;
    }

    /** Fixed-width, as cheap as a store's value can be. */
    static Serde<Aggregate> serde() {
        return Serdes.serdeFrom(
                (topic, kept) -> kept == null ? null : kept.write(), (topic, bytes) -> bytes == null ? null : read(bytes));
    }

    private byte[] write() {
        return ByteBuffer.allocate(SIZE)
                .putDouble(open)
                .putDouble(high)
                .putDouble(low)
                .putDouble(close)
                .putDouble(volume)
                .putDouble(value)
                .putLong(trades)
                .array();
    }

    private static Aggregate read(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Aggregate kept = new Aggregate();
        kept.open = buffer.getDouble();
        kept.high = buffer.getDouble();
        kept.low = buffer.getDouble();
        kept.close = buffer.getDouble();
        kept.volume = buffer.getDouble();
        kept.value = buffer.getDouble();
        kept.trades = buffer.getLong();
        return kept;
    }
}
