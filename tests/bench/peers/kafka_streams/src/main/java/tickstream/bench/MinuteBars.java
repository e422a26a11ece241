package tickstream.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;
import tickstream.Bar;
import tickstream.Tick;

/**
 * Closed one-minute bars of every symbol, in event time, exactly once, on one thread.
 *
 * <p>It reads as many trades as it is told to, which is all there are, commits, and prints what it counted.
 */
public final class MinuteBars {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration RETENTION = Duration.ofHours(1);
    private static final Duration CLOSE_LIMIT = Duration.ofMinutes(1);

    private final String servers;
    private final String ticks;
    private final String bars;
    private final Account account;

    private MinuteBars(String servers, String prefix, long wanted) {
        this.servers = servers;
        this.ticks = prefix + "stock_ticks";
        this.bars = prefix + "kafka_streams_bars";
        this.account = new Account(wanted);
    }

    public static void main(String[] arguments) throws Exception {
        String prefix = System.getenv("KAFKA_TOPIC_PREFIX");
        String servers = System.getenv("KAFKA_BOOTSTRAP_SERVERS");
        MinuteBars job = new MinuteBars(servers, prefix, Long.parseLong(arguments[0]));
        job.createOutput();
        if (!job.run(prefix + "kafka-streams")) {
            System.exit(1);
        }
        System.out.println(job.account.json());
    }

    private void createOutput() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, servers))) {
            if (admin.listTopics().names().get().contains(bars)) {
                return;
            }
            int partitions =
                    admin.describeTopics(List.of(ticks)).allTopicNames().get().get(ticks).partitions().size();
            admin.createTopics(List.of(new NewTopic(bars, Optional.of(partitions), Optional.empty()))).all().get();
        }
    }

    private boolean run(String application) throws IOException, InterruptedException {
        Path state = Files.createTempDirectory("kafka-streams");
        try (KafkaStreams streams = new KafkaStreams(topology(), settings(application, state))) {
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                account.fail();
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.setStateListener((now, before) -> {
                if (now == KafkaStreams.State.RUNNING) {
                    account.started();
                }
            });
            streams.start();
            boolean reached = account.await();
            boolean closed = streams.close(CLOSE_LIMIT);
            return reached && closed;
        } finally {
            delete(state);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> found = Files.walk(folder)) {
            for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private Topology topology() throws IOException {
        JsonNode ids = ids();
        Serde<Tick> tick = new AvroSerde<>(Tick.getClassSchema(), ids.get("stock_ticks").intValue());
        Serde<Bar> bar = new AvroSerde<>(Bar.getClassSchema(), ids.get("bars").intValue());
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(ticks, Consumed.with(Serdes.String(), tick).withTimestampExtractor(MinuteBars::eventTime))
                .peek((symbol, trade) -> account.tick())
                .groupByKey(Grouped.with(Serdes.String(), tick))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(MINUTE))
                .aggregate(
                        Aggregate::new,
                        (symbol, trade, kept) -> kept.add(trade),
                        Materialized.<String, Aggregate, WindowStore<Bytes, byte[]>>as("bars")
                                .withKeySerde(Serdes.String())
                                .withValueSerde(Aggregate.serde())
                                .withRetention(RETENTION))
                // Not EmitStrategy.onWindowClose(): it looks at the clock, and leaves out what closed in the last second.
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()))
                .toStream()
                .map((key, kept) -> KeyValue.pair(
                        key.key(), kept.bar(key.key(), key.window().start(), key.window().end())))
                .peek((symbol, closed) -> account.bar())
                .to(bars, Produced.with(Serdes.String(), bar));
        return builder.build();
    }

    private static JsonNode ids() throws IOException {
        try (InputStream file = MinuteBars.class.getResourceAsStream("/ids.json")) {
            return new ObjectMapper().readTree(file);
        }
    }

    private static long eventTime(ConsumerRecord<Object, Object> record, long before) {
        return ((Tick) record.value()).getTsEvent() / 1_000_000;
    }

    private Properties settings(String application, Path state) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.CHECK_CRCS_CONFIG), false); // as librdkafka's default
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        return settings;
    }
}
