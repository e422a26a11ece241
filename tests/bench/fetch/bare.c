/* Reads partitions to their ends by librdkafka alone: what a reader in Python can't fall below.
 *
 *     bare SERVERS TOPIC PARTITIONS
 *
 * Prints the records, and the CPU and wall seconds that reading them took. The declarations are those of
 * rdkafka.h, which the wheel of confluent-kafka doesn't hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <time.h>

typedef struct {
    int err;
    void *topic;
    int32_t partition;
    void *payload;
    size_t len;
    void *key;
    size_t key_len;
    int64_t offset;
    void *opaque;
} message_t;

typedef struct {
    char *topic;
    int32_t partition;
    int64_t offset;
} place_t;

void *rd_kafka_conf_new(void);
int rd_kafka_conf_set(void *, const char *, const char *, char *, size_t);
void *rd_kafka_new(int, void *, char *, size_t);
void *rd_kafka_topic_partition_list_new(int);
place_t *rd_kafka_topic_partition_list_add(void *, const char *, int32_t);
int rd_kafka_assign(void *, void *);
int rd_kafka_poll_set_consumer(void *);
void *rd_kafka_queue_get_consumer(void *);
ssize_t rd_kafka_consume_batch_queue(void *, int, message_t **, size_t);
void rd_kafka_message_destroy(message_t *);

enum { CONSUMER = 1, BEGINNING = -2, BATCH = 10000 };

static const char *SETTINGS[][2] = {
    {"group.id", "bench-fetch"},          {"enable.auto.commit", "false"},    {"enable.partition.eof", "true"},
    {"isolation.level", "read_committed"}, {"fetch.wait.max.ms", "50"},        {"queued.max.messages.kbytes", "65536"},
    {"fetch.queue.backoff.ms", "5"},      {"enable.auto.offset.store", "false"},
};

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static void must(int failed, const char *why) {
    if (failed) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
}

int main(int count, char **given) {
    must(count != 4, "bare SERVERS TOPIC PARTITIONS");
    char why[512] = "";
    void *settings = rd_kafka_conf_new();
    must(rd_kafka_conf_set(settings, "bootstrap.servers", given[1], why, sizeof why), why);
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        must(rd_kafka_conf_set(settings, SETTINGS[i][0], SETTINGS[i][1], why, sizeof why), why);
    void *consumer = rd_kafka_new(CONSUMER, settings, why, sizeof why);
    must(!consumer, why);
    rd_kafka_poll_set_consumer(consumer);
    int partitions = atoi(given[3]), ended = 0;
    void *places = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++) rd_kafka_topic_partition_list_add(places, given[2], i)->offset = BEGINNING;
    double cpu_before = cpu(), began = now();
    must(rd_kafka_assign(consumer, places), "the partitions can't be assigned");
    void *queue = rd_kafka_queue_get_consumer(consumer);
    static message_t *batch[BATCH];
    char *copies = malloc(64 << 20);
    long records = 0;
    while (ended < partitions) {
        ssize_t got = rd_kafka_consume_batch_queue(queue, 20, batch, BATCH);
        size_t at = 0;
        for (ssize_t i = 0; i < got; i++) {
            if (batch[i]->err) {
                ended++;
            } else {
                records++;
                must(at + batch[i]->len > 64 << 20, "a batch must be below 64 MB");
                memcpy(copies + at, batch[i]->payload, batch[i]->len);
                at += batch[i]->len;
            }
            rd_kafka_message_destroy(batch[i]);
        }
    }
    printf("%ld %.6f %.6f\n", records, cpu() - cpu_before, now() - began);
    return 0;
}
