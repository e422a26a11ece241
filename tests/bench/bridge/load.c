/*
 * Many websocket clients of the socket in one thread: counts what comes, how old it is, and what is missing.
 *
 * It speaks just enough of HTTP, websockets, Engine.IO and Socket.IO to subscribe to trades, and looks for the few
 * bytes that it counts without decoding JSON, so that a part of a core outruns the servers that it measures. A
 * record must have its symbol ("S000", "S001", ...) before its ts_ingest_ms, and seq right after that.
 *
 * Usage: load PORT CLIENTS MODE SYMBOLS SYMBOLS_EACH
 *
 * Prints {"ready": ...} once every client has its acknowledgement. Then it reads lines:
 *   sample          prints what came since the last sample; ages: how many records were so many milliseconds old
 *   slow BYTES      every client takes so many bytes a second from now on; 0: none
 *   reconnect MS    ends all connections, and after so long makes all of them again at once, with their tokens;
 *                   prints how long the acknowledgements took
 *   revive          makes those connections again that the server has ended
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OLDEST_MS = 120000, FIRST_ROOM = 16384, TOKEN_ROOM = 2048, NAMES_ROOM = 1024, TEXT_ROOM = 8192, RAMP = 100, TICK_MS = 100 };
enum { CLOSE = 8, SMALL_WINDOW = 65536 };

typedef enum { AWAY, CONNECTING, JOINING, READING, ENDED } State;

typedef struct {
    int fd;
    State state;
    bool upgraded, paused;
    char *in; /* what was received and isn't a whole frame yet */
    size_t used, room;
    uint32_t *last; /* the seq of each symbol's last record; 0: none yet */
    char names[NAMES_ROOM];
    char token[TOKEN_ROOM];
    int64_t allowance; /* bytes that may be read until the next tick */
    double asked;      /* when it began to connect */
} Client;

typedef struct {
    uint64_t records, frames, bytes, lost, missing, repeated, told, slow, ended;
    uint64_t ages[OLDEST_MS + 1]; /* how many records were so many milliseconds old; the last: older */
    double began, cpu;
} Sample;

static Client *clients;
static int count, symbols, epoll, coming, acknowledged, recovered;
static const char *mode;
static struct sockaddr_in server;
static Sample sample;
static double *waits; /* seconds until each acknowledgement */
static bool announced, reconnecting;
static double again; /* when all connections are made again; 0: not */
static int64_t bytes_per_second = -1;

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_seconds(void) { return seconds(CLOCK_PROCESS_CPUTIME_ID); }

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* --- what is counted --- */

static void begin_sample(void) {
    memset(&sample, 0, sizeof sample);
    sample.began = seconds(CLOCK_MONOTONIC);
    sample.cpu = cpu_seconds();
}

static void print_sample(void) {
    int connected = 0;
    for (int i = 0; i < count; i++) connected += clients[i].state == READING;
    printf("{\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"connected\":%d,\"records\":%lu,\"frames\":%lu,\"bytes\":%lu,"
           "\"lost\":%lu,\"missing\":%lu,\"repeated\":%lu,\"told\":%lu,\"slow_consumer\":%lu,\"ended\":%lu,\"ages\":{",
           seconds(CLOCK_MONOTONIC) - sample.began, cpu_seconds() - sample.cpu, connected, sample.records,
           sample.frames, sample.bytes, sample.lost, sample.missing, sample.repeated, sample.told, sample.slow,
           sample.ended);
    const char *comma = "";
    for (int age = 0; age <= OLDEST_MS; age++) {
        if (!sample.ages[age]) continue;
        printf("%s\"%d\":%lu", comma, age, sample.ages[age]);
        comma = ",";
    }
    puts("}}");
    fflush(stdout);
    begin_sample();
}

static const char *after(const char *from, const char *end, const char *wanted) {
    const char *found = memmem(from, end - from, wanted, strlen(wanted));
    return found ? found + strlen(wanted) : NULL;
}

static void note(Client *client, uint32_t symbol, uint32_t seq, bool counted) {
    uint32_t *last = &client->last[symbol];
    if (counted && *last && seq > *last + 1) sample.missing += seq - *last - 1;
    if (counted && *last && seq <= *last) sample.repeated++;
    *last = seq;
}

/* Look at every record of a frame, or of a snapshot, which counts for nothing but the order. */
static void take_records(Client *client, const char *at, const char *end, bool counted) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = time.tv_sec * 1000LL + time.tv_nsec / 1000000;
    while ((at = after(at, end, "\"symbol\":\"S"))) {
        uint32_t symbol = strtoul(at, NULL, 10);
        const char *stamp = after(at, end, "\"ts_ingest_ms\":");
        if (!stamp || symbol >= (uint32_t)symbols) fail("this is no record: %.200s", at);
        char *seq;
        int64_t age = now - strtoll(stamp, &seq, 10);
        if (strncmp(seq, ",\"seq\":", 7)) fail("seq doesn't follow ts_ingest_ms: %.40s", stamp);
        note(client, symbol, strtoul(seq + 7, &seq, 10), counted);
        at = seq;
        if (!counted) continue;
        sample.records++;
        sample.ages[age < 0 ? 0 : age > OLDEST_MS ? OLDEST_MS : age]++;
    }
}

static void keep_token(Client *client, const char *at, const char *end) {
    const char *token = after(at, end, "\"resume\":\"");
    if (!token) return;
    size_t length = (const char *)memchr(token, '"', end - token) - token;
    if (length >= TOKEN_ROOM) fail("a token of %zu bytes", length);
    memcpy(client->token, token, length);
    client->token[length] = 0;
    const char *lost = after(token, end, "\"lost\":");
    if (lost) sample.lost += strtoul(lost, NULL, 10);
}

/* --- what is sent --- */

static void write_raw(Client *client, const char *data, size_t length) {
    if (send(client->fd, data, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE && errno != ECONNRESET)
        fail("a client can't send: %s", strerror(errno));
}

static void send_text(Client *client, const char *text) {
    size_t length = strlen(text);
    char frame[TEXT_ROOM];
    char *at = frame;
    *at++ = (char)0x81;
    *at++ = (char)(0x80 | (length < 126 ? length : 126));
    if (length >= 126) {
        *at++ = (char)(length >> 8);
        *at++ = (char)length;
    }
    memset(at, 0, 4); /* masked with zeros */
    memcpy(at + 4, text, length);
    write_raw(client, frame, at + 4 + length - frame);
}

static void subscribe(Client *client) {
    char text[TEXT_ROOM / 2];
    int length = snprintf(text, sizeof text, "420[\"subscribe\",{\"channel\":\"ticks\",\"mode\":\"%s\",\"symbols\":[%s]",
                          mode, client->names);
    if (client->token[0])
        length += snprintf(text + length, sizeof text - length, ",\"resume\":\"%s\"", client->token);
    snprintf(text + length, sizeof text - length, "}]");
    send_text(client, text);
}

/* --- connections --- */

static void watch(Client *client, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(epoll, operation, client->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

static void start(Client *client) {
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (bytes_per_second >= 0)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &(int){SMALL_WINDOW}, sizeof(int));
    if (connect(client->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    client->state = CONNECTING;
    client->upgraded = client->paused = false;
    client->used = 0;
    client->asked = seconds(CLOCK_MONOTONIC);
    coming++;
    watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

static void end(Client *client, State state) {
    coming -= client->state == CONNECTING || client->state == JOINING;
    close(client->fd);
    client->state = state;
}

static void upgrade(Client *client) {
    char request[400];
    int length = snprintf(request, sizeof request,
                          "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                          "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          ntohs(server.sin_port));
    write_raw(client, request, length);
    client->state = JOINING;
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void joined(Client *client, const char *payload, const char *end) {
    if (!after(payload, end, "\"ok\":true")) fail("refused: %.300s", payload);
    bool went_on = after(payload, end, "\"recovered\":true");
    recovered += went_on;
    keep_token(client, payload, end);
    if (!went_on) {
        memset(client->last, 0, symbols * sizeof *client->last);
        take_records(client, payload, end, false);
    }
    client->state = READING;
    coming--;
    waits[acknowledged++] = seconds(CLOCK_MONOTONIC) - client->asked;
}

static bool begins(const char *payload, const char *end, const char *with) {
    return (size_t)(end - payload) >= strlen(with) && !memcmp(payload, with, strlen(with));
}

static void heard(Client *client, const char *payload, const char *end) {
    if (begins(payload, end, "42[\"ticks\"")) {
        sample.frames++;
        take_records(client, payload, end, true);
        const char *tail = end - payload > TOKEN_ROOM ? end - TOKEN_ROOM : payload;
        keep_token(client, tail, end);
    } else if (begins(payload, end, "2")) {
        send_text(client, "3");
    } else if (begins(payload, end, "0")) {
        send_text(client, "40");
    } else if (begins(payload, end, "40")) {
        subscribe(client);
    } else if (begins(payload, end, "430")) {
        joined(client, payload, end);
    } else if (begins(payload, end, "44")) {
        fail("refused: %.300s", payload);
    } else if (begins(payload, end, "42[\"status\"")) {
        sample.told++;
    } else if (begins(payload, end, "42[\"closing\"")) {
        sample.slow += after(payload, end, "slow_consumer") != NULL;
    }
}

/* The length of the frame at the beginning of what was received, 0 if it isn't whole yet; *payload: where its own begins. */
static size_t frame_length(const unsigned char *in, size_t used, size_t *payload) {
    if (used < 2) return 0;
    size_t length = in[1], head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (used < head) return 0;
    if (head > 2) length = 0;
    for (size_t i = 2; i < head; i++) length = length << 8 | in[i];
    *payload = head;
    return used < head + length ? 0 : head + length;
}

static size_t take_head(Client *client) {
    const char *rest = after(client->in, client->in + client->used, "\r\n\r\n");
    if (!rest) return 0;
    if (!begins(client->in, rest, "HTTP/1.1 101")) fail("no websocket: %.200s", client->in);
    client->upgraded = true;
    return rest - client->in;
}

static void take_frames(Client *client) {
    size_t at = client->upgraded ? 0 : take_head(client), length, payload;
    while (client->upgraded && client->state != ENDED &&
           (length = frame_length((unsigned char *)client->in + at, client->used - at, &payload))) {
        if ((client->in[at] & 15) == CLOSE) {
            sample.ended++;
            end(client, ENDED);
        } else {
            heard(client, client->in + at + payload, client->in + at + length);
        }
        at += length;
    }
    client->used -= at;
    memmove(client->in, client->in + at, client->used);
}

static void receive(Client *client) {
    if (client->room - client->used < FIRST_ROOM) {
        client->room = client->room * 2 + FIRST_ROOM;
        client->in = realloc(client->in, client->room);
        if (!client->in) fail("no memory");
    }
    size_t most = client->room - client->used;
    if (bytes_per_second >= 0 && client->allowance < (int64_t)most) most = client->allowance;
    ssize_t got = recv(client->fd, client->in + client->used, most, 0);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) return;
        if (client->state != READING) fail("the server has ended a connection that was being made");
        sample.ended++;
        end(client, ENDED);
        return;
    }
    sample.bytes += got;
    client->used += got;
    take_frames(client);
    if (bytes_per_second >= 0 && client->state == READING && (client->allowance -= got) <= 0) {
        client->paused = true;
        watch(client, EPOLL_CTL_MOD, 0);
    }
}

/* --- commands, and what time brings --- */

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static void announce(const char *what) {
    qsort(waits, acknowledged, sizeof *waits, by_size);
    printf("{\"%s\":%d,\"recovered\":%d,\"median_seconds\":%.3f,\"slowest_seconds\":%.3f}\n", what, acknowledged,
           recovered, waits[acknowledged / 2], waits[acknowledged - 1]);
    fflush(stdout);
    announced = true;
    reconnecting = false;
}

static void allow(void) {
    for (int i = 0; i < count; i++) {
        clients[i].allowance = bytes_per_second * TICK_MS / 1000;
        if (clients[i].state == READING && clients[i].paused == (clients[i].allowance > 0)) {
            clients[i].paused = !clients[i].paused;
            watch(&clients[i], EPOLL_CTL_MOD, clients[i].paused ? 0 : EPOLLIN);
        }
    }
}

static void leave(double seconds_away) {
    for (int i = 0; i < count; i++) {
        if (clients[i].state == READING) end(&clients[i], AWAY);
        if (clients[i].state == ENDED) clients[i].state = AWAY; /* the server was first */
    }
    acknowledged = recovered = 0;
    announced = false;
    reconnecting = true;
    again = seconds(CLOCK_MONOTONIC) + seconds_away;
}

static void command(const char *line) {
    if (!strcmp(line, "sample")) {
        print_sample();
    } else if (begins(line, line + strlen(line), "slow ")) {
        bytes_per_second = atoll(line + 5);
        for (int i = 0; i < count; i++)
            setsockopt(clients[i].fd, SOL_SOCKET, SO_RCVBUF, &(int){SMALL_WINDOW}, sizeof(int));
        allow();
    } else if (begins(line, line + strlen(line), "reconnect ")) {
        leave(atof(line + 10) / 1000);
    } else if (!strcmp(line, "revive")) {
        acknowledged = 0;
        for (int i = 0; i < count; i++)
            if (clients[i].state == ENDED) start(&clients[i]);
    } else {
        fail("there is no command %s", line);
    }
}

static void read_commands(void) {
    static char lines[4096];
    static size_t used;
    ssize_t got = read(0, lines + used, sizeof lines - used - 1);
    if (got <= 0) exit(0);
    lines[used += got] = 0;
    char *line = lines, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        command(line);
        line = end + 1;
    }
    used -= line - lines;
    memmove(lines, line, used);
}

static void time_went_on(void) {
    static double ticked;
    double now = seconds(CLOCK_MONOTONIC);
    bool due = reconnecting ? again && now >= again : !announced;
    for (int i = 0; due && i < count && (reconnecting || coming < RAMP); i++)
        if (clients[i].state == AWAY) start(&clients[i]);
    if (due && reconnecting) again = 0;
    if (!announced && acknowledged == count) announce(reconnecting ? "reconnected" : "ready");
    if (bytes_per_second >= 0 && now - ticked >= TICK_MS / 1000.0) {
        ticked = now;
        allow();
    }
}

static void make_client(Client *client, int each) {
    client->last = calloc(symbols, sizeof *client->last);
    if (!client->last) fail("no memory");
    bool chosen[symbols];
    memset(chosen, 0, sizeof chosen);
    size_t length = 0;
    while (each) {
        int symbol = random() % symbols;
        if (chosen[symbol]) continue;
        chosen[symbol] = true;
        length += snprintf(client->names + length, sizeof client->names - length, "%s\"S%03d\"", length ? "," : "", symbol);
        if (length >= sizeof client->names) fail("too many symbols for one client");
        each--;
    }
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage: load PORT CLIENTS MODE SYMBOLS SYMBOLS_EACH");
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    count = atoi(argv[2]), mode = argv[3], symbols = atoi(argv[4]);
    if (count < 1 || atoi(argv[5]) > symbols) fail("no clients, or more symbols each than there are");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    waits = calloc(count, sizeof *waits);
    clients = calloc(count, sizeof *clients);
    if (!waits || !clients) fail("no memory");
    srandom(7);
    for (int i = 0; i < count; i++) make_client(&clients[i], atoi(argv[5]));
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    begin_sample();
    for (;;) {
        time_went_on();
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, 10);
        for (int i = 0; i < ready; i++) {
            Client *client = events[i].data.ptr;
            if (!client) read_commands();
            else if (client->state == CONNECTING) upgrade(client);
            else if (client->state == JOINING || client->state == READING) receive(client);
        }
    }
}
