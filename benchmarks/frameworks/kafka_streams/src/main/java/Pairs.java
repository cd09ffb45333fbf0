import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The small job of pairs_job.py on Kafka Streams: the first acceptance of each offered handoff.
 *
 * <p>Arguments: name, broker, source topic, output topic, folder, commit interval in ms, number of events. One thread;
 * state in RocksDB behind its cache, with a changelog topic; at least once. It says what it has used when it starts and
 * after half of the events, when the compiler has done most of its work.
 */
public final class Pairs {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STATES = "states";

    private Pairs() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[4]);
        KafkaStreams streams = new KafkaStreams(topology(arguments, folder), settings(arguments, folder));
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.RUNNING) {
                mark(folder.resolve("started.json"));
            }
        });
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close();
            stopped.countDown();
        }));
        streams.start();
        stopped.await();
    }

    private static Properties settings(String[] arguments, Path folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[0]);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve("state").toString());
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments[5]);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        settings.put("auto.offset.reset", "earliest");
        return settings;
    }

    private static Topology topology(String[] arguments, Path folder) {
        AtomicLong untilHalf = new AtomicLong(Long.parseLong(arguments[6]) / 2);
        Runnable counted = () -> {
            if (untilHalf.decrementAndGet() == 0) {
                mark(folder.resolve("half.json"));
            }
        };
        return new Topology()
                .addSource("read", arguments[2])
                .addProcessor("pair", () -> new Pairing(counted), "read")
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        Stores.persistentKeyValueStore(STATES),
                                        Serdes.ByteArray(),
                                        Serdes.ByteArray())
                                .withCachingEnabled(),
                        "pair")
                .addSink("write", arguments[3], "pair");
    }

    /** Writes the CPU time used until now; later calls change nothing. */
    private static void mark(Path mark) {
        try {
            if (!Files.exists(mark)) {
                OperatingSystemMXBean system =
                        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
                Path partial = mark.resolveSibling("mark.part");
                Files.writeString(partial, "{\"cpu_s\": " + system.getProcessCpuTime() / 1e9 + "}");
                Files.move(partial, mark);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** One event into the state of its work item. */
    private static final class Pairing implements Processor<byte[], byte[], byte[], byte[]> {
        private ProcessorContext<byte[], byte[]> context;
        private KeyValueStore<byte[], byte[]> states;
        private final Runnable counted;

        private Pairing(Runnable counted) {
            this.counted = counted;
        }

        @Override
        public void init(ProcessorContext<byte[], byte[]> given) {
            context = given;
            states = given.getStateStore(STATES);
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            try {
                JsonNode event = JSON.readTree(record.value());
                byte[] stored = states.get(record.key());
                ObjectNode state = stored == null ? nothingYet() : (ObjectNode) JSON.readTree(stored);
                ObjectNode found = pair(state, event);
                states.put(record.key(), JSON.writeValueAsBytes(state));
                if (found != null) {
                    context.forward(record.withValue(JSON.writeValueAsBytes(found)));
                }
                counted.run();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private static ObjectNode nothingYet() {
            ObjectNode state = JSON.createObjectNode();
            state.put("last_ms", 0L);
            state.putObject("offers");
            return state;
        }

        private static ObjectNode pair(ObjectNode state, JsonNode event) {
            long atMs = Instant.parse(event.get("time").textValue()).toEpochMilli();
            state.put("last_ms", Math.max(state.get("last_ms").longValue(), atMs));
            ObjectNode offers = (ObjectNode) state.get("offers");
            switch (event.get("type").textValue()) {
                case "tieline.handoff.offered.v1" -> {
                    String handoff = event.get("data").get("handoff_id").textValue();
                    if (!offers.has(handoff)) {
                        offers.put(handoff, atMs);
                    }
                }
                case "tieline.handoff.accepted.v1" -> {
                    String handoff = event.get("data").get("handoff_id").textValue();
                    JsonNode offered = offers.remove(handoff);
                    if (offered != null) {
                        return completed(event, handoff, offered.longValue(), atMs);
                    }
                }
                default -> { }
            }
            return null;
        }

        private static ObjectNode completed(JsonNode event, String handoff, long offeredMs, long acceptedMs) {
            ObjectNode row = JSON.createObjectNode();
            row.set("process", event.get("process"));
            row.set("work_item", event.get("subject"));
            row.put("handoff_id", handoff);
            row.put("offered_ms", offeredMs);
            row.put("accepted_ms", acceptedMs);
            row.put("waited_ms", acceptedMs - offeredMs);
            return row;
        }
    }
}
