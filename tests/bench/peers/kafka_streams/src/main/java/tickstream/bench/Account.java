package tickstream.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/** Counts what went through, and what the second half of it took, when Java has compiled what is hot. */
final class Account {
    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final long wanted;
    private final CountDownLatch reached = new CountDownLatch(1);
    private volatile boolean failed;
    private long ticks; // this and what follows is the stream thread's until it has ended
    private long bars;
    private long halfSeconds;
    private long halfCpu;

    Account(long wanted) {
        this.wanted = wanted;
    }

    void tick() {
        ticks += 1;
        if (ticks == wanted / 2) {
            halfSeconds = System.nanoTime();
            halfCpu = PROCESS.getProcessCpuTime();
        }
        if (ticks == wanted) {
            reached.countDown();
        }
    }

    void bar() {
        bars += 1;
    }

    /** The stream runs; with nothing to read that is the end of it. */
    void started() {
        if (wanted == 0) {
            reached.countDown();
        }
    }

    void fail() {
        failed = true;
        reached.countDown();
    }

    /** Wait until all is counted, and say whether it was. */
    boolean await() throws InterruptedException {
        reached.await();
        return !failed;
    }

    /** The figures as JSON, once everything is committed. */
    String json() {
        double seconds = (System.nanoTime() - halfSeconds) / 1e9;
        double cpu = (PROCESS.getProcessCpuTime() - halfCpu) / 1e9;
        return String.format(
                Locale.ROOT,
                "{\"ticks\": %d, \"bars\": %d, \"second_half\": {\"ticks\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.3f}}",
                ticks, bars, ticks - wanted / 2, seconds, cpu);
    }
}
