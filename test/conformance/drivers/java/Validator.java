import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Base64;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;

/**
 * What a leader of Apache Kafka makes of a batch that a client sends. One line of JSON in, one out, in order:
 *
 * <pre>
 * {"bytes":"base64","compacted":false,"logAppendTime":false,"before":1,"after":1,"now":7,"offset":100,"epoch":7}
 *     -> {"bytes":"base64"}, as it goes to the log
 *     -> {"error":"INVALID_RECORD","indexes":[3]}
 * </pre>
 */
public class Validator {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      ObjectNode answer = JSON.createObjectNode();
      try {
        answer.put("bytes", Base64.getEncoder().encodeToString(validated(JSON.readTree(line))));
      } catch (RecordValidationException error) {
        answer.put("error", Errors.forException(error.invalidException()).name());
        ArrayNode indexes = answer.putArray("indexes");
        for (ProduceResponse.RecordError each : error.recordErrors()) indexes.add(each.batchIndex);
      } catch (Exception error) {
        answer.put("error", Errors.forException(error).name());
        answer.putArray("indexes");
      }
      out.println(JSON.writeValueAsString(answer));
    }
  }

  private static byte[] validated(JsonNode asked) throws Exception {
    MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(asked.get("bytes").binaryValue()));
    CompressionType codec = records.firstBatch().compressionType();
    LogValidator validator =
        new LogValidator(
            records,
            new TopicPartition("t", 0),
            always(Time.class, asked.get("now").asLong()),
            codec,
            Compression.of(codec).build(),
            asked.get("compacted").asBoolean(),
            (byte) 2,
            asked.get("logAppendTime").asBoolean() ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
            asked.get("before").asLong(),
            asked.get("after").asLong(),
            asked.get("epoch").asInt(),
            AppendOrigin.CLIENT,
            MetadataVersion.IBP_3_9_IV0);
    MemoryRecords result =
        validator.validateMessagesAndAssignOffsets(
                PrimitiveRef.ofLong(asked.get("offset").asLong()),
                always(LogValidator.MetricsRecorder.class, null),
                BufferSupplier.NO_CACHING)
            .validatedRecords;
    byte[] bytes = new byte[result.sizeInBytes()];
    result.buffer().duplicate().get(bytes);
    return bytes;
  }

  /** An object that has the same answer to everything. */
  private static <T> T always(Class<T> type, Object answer) {
    InvocationHandler handler = (proxy, method, args) -> answer;
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
