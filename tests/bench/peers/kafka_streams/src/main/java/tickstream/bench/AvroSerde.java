package tickstream.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/** Confluent's wire format: 0, the schema's id in four bytes, then one Avro record. For one thread. */
final class AvroSerde<T extends SpecificRecordBase> implements Serde<T> {
    private static final int HEADER = 5;

    private final int id;
    private final SpecificDatumReader<T> reader;
    private final SpecificDatumWriter<T> writer;
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;
    private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(256);

    AvroSerde(Schema schema, int id) {
        this.id = id;
        this.reader = new SpecificDatumReader<>(schema);
        this.writer = new SpecificDatumWriter<>(schema);
    }

    @Override
    public Serializer<T> serializer() {
        return (topic, value) -> encode(value);
    }

    @Override
    public Deserializer<T> deserializer() {
        return (topic, bytes) -> decode(bytes);
    }

    private byte[] encode(T value) {
        try {
            buffer.reset();
            buffer.write(0);
            buffer.write(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
            encoder = EncoderFactory.get().directBinaryEncoder(buffer, encoder);
            writer.write(value, encoder);
            return buffer.toByteArray();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private T decode(byte[] bytes) {
        ByteBuffer header = ByteBuffer.wrap(bytes);
        if (header.get() != 0 || header.getInt() != id) {
            throw new SerializationException("a value must begin with 0 and schema id " + id);
        }
        try {
            decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER, bytes.length - HEADER, decoder);
            return reader.read(null, decoder);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
