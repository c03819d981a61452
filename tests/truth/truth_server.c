/* An HTTP/1.1 server that knows the truth about its own response times, to hold a load generator's figures against.
 *
 * One thread, one epoll. Each request is answered after a lognormal time drawn from a seeded generator; or, as a queue,
 * one after the other in the order of arrival, each after an exponential time. For each answer its request's arrival, by
 * the kernel's own stamp (SO_TIMESTAMPING, software), and two durations from there are kept: to the moment just before
 * send(), and to the moment just after it. Over loopback the client's kernel stamps the answer inside that send(), so
 * the two bracket what a perfect client would see.
 *
 * The kernel stamps packets only while some socket asks it to, and starts a little late: a datagram socket is held open
 * for life, and the port is announced once that socket has seen a stamp.
 *
 * TLS runs over memory BIOs, because SSL_read on a socket would not show the stamps.
 *
 * usage: truth_server SEED MEDIAN_US SIGMA LOG [CERTIFICATE KEY]
 *        truth_server SEED MEAN_US queue LOG
 * On stdout: the port, then on SIGTERM one line of JSON with counts; LOG then holds native u64 nanoseconds, three each.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <math.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define BUFFER_BYTES 16384
#define NS_PER_S 1000000000ull

static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 124\r\n\r\n"
    "The quick brown fox jumps over the lazy dog, again and again, until there are one hundred and twenty-four bytes on the line.";

typedef struct connection {
    int fd;
    int waiting; /* a request is in, its answer is not due yet: the heap points here */
    int closed;  /* while waiting: buried when the heap lets go of it */
    SSL *tls;
    uint64_t arrival_ns; /* CLOCK_REALTIME stamp of the request's last segment */
    uint64_t stamp_ns;   /* of the last read */
    size_t filled;
    char buffer[BUFFER_BYTES];
} connection;

typedef struct {
    uint64_t due_ns; /* CLOCK_MONOTONIC */
    connection *to;
} answer_due;

typedef struct {
    uint64_t arrival_ns, before_ns, after_ns; /* the latter two since the first */
} duration;

static int poll_fd, timer_fd, listen_fd, signal_fd;
static SSL_CTX *tls_context;
static double median_ns, sigma;
static int is_queue;
static uint64_t free_ns; /* when a queue has answered all that it has, CLOCK_MONOTONIC */
static uint64_t random_state;
static answer_due *heap;
static size_t heap_count, heap_room;
static duration *log_of;
static size_t logged, log_room;
static connection **graveyard;
static size_t buried, graveyard_room;
static uint64_t accepted, requests, unstamped, unanswered, short_sends, malformed, armed_ns, first_ns, last_ns;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void *grown(void *memory, size_t *room, size_t count, size_t item_bytes) {
    if (count < *room)
        return memory;
    *room = *room ? *room * 2 : 4096;
    memory = realloc(memory, *room * item_bytes);
    if (!memory)
        die("realloc");
    return memory;
}

/* splitmix64 (Steele, Lea, Flood 2014) and the Box-Muller transform. */
static double uniform(void) {
    uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (double)(((z ^ (z >> 31)) >> 11) + 1) * 0x1p-53; /* in (0, 1] */
}

static uint64_t service_time_ns(void) {
    if (is_queue)
        return (uint64_t)(median_ns * -log(uniform()));
    double normal = sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
    return (uint64_t)(median_ns * exp(sigma * normal));
}

static void heap_push(answer_due item) {
    heap = grown(heap, &heap_room, heap_count, sizeof *heap);
    size_t at = heap_count++;
    for (size_t parent; at && heap[parent = (at - 1) / 2].due_ns > item.due_ns; at = parent)
        heap[at] = heap[parent];
    heap[at] = item;
}

static answer_due heap_pop(void) {
    answer_due top = heap[0], last = heap[--heap_count];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < heap_count) {
        if (child + 1 < heap_count && heap[child + 1].due_ns < heap[child].due_ns)
            child++;
        if (heap[child].due_ns >= last.due_ns)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return top;
}

static void ask_for_stamps(int fd) {
    int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags))
        die("SO_TIMESTAMPING");
}

/* recv() that also returns the kernel's arrival stamp, 0 if there was none. */
static ssize_t receive(int fd, void *into, size_t room, uint64_t *stamp_ns) {
    char control[256];
    struct iovec part = {into, room};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
    *stamp_ns = 0;
    if (got < 0)
        return got;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
            struct timespec stamp; /* the first of three: software */
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            *stamp_ns = (uint64_t)stamp.tv_sec * NS_PER_S + (uint64_t)stamp.tv_nsec;
        }
    return got;
}

/* A closed connection may still be named by an event of the batch under way, so it is freed after the batch. */
static void bury(connection *c) {
    graveyard = grown(graveyard, &graveyard_room, buried, sizeof *graveyard);
    graveyard[buried++] = c;
}

static void close_connection(connection *c) {
    if (c->closed)
        return;
    close(c->fd);
    SSL_free(c->tls);
    c->closed = 1;
    if (!c->waiting)
        bury(c);
}

/* Sends it all or reports that the peer does not take it: an answer is far smaller than any send buffer. */
static int send_all(connection *c, const char *bytes, size_t count) {
    if (!count)
        return 0;
    ssize_t sent = send(c->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == (ssize_t)count)
        return 0;
    short_sends++;
    return -1;
}

static int flush_tls(connection *c) {
    char bytes[BUFFER_BYTES];
    int count;
    while ((count = BIO_read(SSL_get_wbio(c->tls), bytes, sizeof bytes)) > 0)
        if (send_all(c, bytes, (size_t)count))
            return -1;
    return 0;
}

static void schedule_next(connection *c);

static void answer(connection *c) {
    char bytes[BUFFER_BYTES];
    const char *out = ANSWER;
    int count = sizeof ANSWER - 1;
    c->waiting = 0;
    if (c->closed) {
        unanswered++;
        bury(c);
        return;
    }
    if (c->tls) { /* encrypt first, so that the log says when it was sent */
        if (SSL_write(c->tls, ANSWER, count) != count || (count = BIO_read(SSL_get_wbio(c->tls), bytes, sizeof bytes)) <= 0) {
            unanswered++;
            close_connection(c);
            return;
        }
        out = bytes;
    }
    uint64_t before_ns = now_ns(CLOCK_REALTIME);
    int failed = send_all(c, out, (size_t)count);
    uint64_t after_ns = now_ns(CLOCK_REALTIME);
    if (failed) {
        unanswered++;
        close_connection(c);
        return;
    }
    log_of = grown(log_of, &log_room, logged, sizeof *log_of);
    log_of[logged++] = (duration){c->arrival_ns, before_ns - c->arrival_ns, after_ns - c->arrival_ns};
    last_ns = after_ns;
    schedule_next(c);
}

static void arm(void) {
    uint64_t due_ns = heap_count ? heap[0].due_ns : 0;
    if (due_ns == armed_ns)
        return;
    armed_ns = due_ns;
    struct itimerspec at = {.it_value = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void answer_what_is_due(void) {
    while (heap_count && heap[0].due_ns <= now_ns(CLOCK_MONOTONIC))
        answer(heap_pop().to);
}

/* Bytes of the complete request at the front of the buffer, 0 if it is not all there. */
static size_t complete_request(connection *c) {
    char *end = memmem(c->buffer, c->filled, "\r\n\r\n", 4);
    if (!end)
        return 0;
    *end = 0;
    char *length = strcasestr(c->buffer, "\r\ncontent-length:");
    *end = '\r';
    size_t all = (size_t)(end + 4 - c->buffer) + (length ? strtoul(length + 17, NULL, 10) : 0);
    return all <= c->filled ? all : 0;
}

static void schedule_next(connection *c) {
    size_t all = c->waiting ? 0 : complete_request(c);
    if (!all)
        return;
    uint64_t real_ns = now_ns(CLOCK_REALTIME);
    c->filled -= all;
    memmove(c->buffer, c->buffer + all, c->filled);
    if (!c->stamp_ns) {
        unstamped++;
        c->stamp_ns = real_ns;
    }
    c->arrival_ns = c->stamp_ns;
    c->waiting = 1;
    requests++;
    if (!first_ns)
        first_ns = c->arrival_ns;
    uint64_t waited_ns = real_ns > c->arrival_ns ? real_ns - c->arrival_ns : 0;
    uint64_t begins_ns = now_ns(CLOCK_MONOTONIC) - waited_ns;
    if (is_queue && begins_ns < free_ns)
        begins_ns = free_ns;
    free_ns = begins_ns + service_time_ns();
    heap_push((answer_due){free_ns, c});
}

static int take_tls(connection *c, const char *bytes, int count) {
    if (BIO_write(SSL_get_rbio(c->tls), bytes, count) != count)
        return -1;
    if (!SSL_is_init_finished(c->tls)) {
        ERR_clear_error(); /* SSL_get_error also looks at what other connections left there */
        int done = SSL_do_handshake(c->tls);
        if (flush_tls(c) || (done <= 0 && SSL_get_error(c->tls, done) != SSL_ERROR_WANT_READ))
            return -1;
        if (done <= 0)
            return 0;
    }
    int got;
    while (c->filled < BUFFER_BYTES - 1 &&
           (got = SSL_read(c->tls, c->buffer + c->filled, (int)(BUFFER_BYTES - 1 - c->filled))) > 0)
        c->filled += (size_t)got;
    return SSL_get_shutdown(c->tls) & SSL_RECEIVED_SHUTDOWN ? -1 : flush_tls(c);
}

static void read_from(connection *c) {
    char bytes[BUFFER_BYTES];
    size_t room = BUFFER_BYTES - 1 - c->filled;
    if (c->closed)
        return;
    ssize_t got = c->tls ? receive(c->fd, bytes, sizeof bytes, &c->stamp_ns)
                         : receive(c->fd, c->buffer + c->filled, room, &c->stamp_ns);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || (c->tls && take_tls(c, bytes, (int)got))) {
        close_connection(c);
        return;
    }
    c->filled += c->tls ? 0 : (size_t)got;
    schedule_next(c);
    if (c->filled == BUFFER_BYTES - 1) {
        malformed++;
        close_connection(c);
    }
}

static void accept_all(void) {
    for (int fd; (fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        connection *c = calloc(1, sizeof *c);
        int on = 1;
        if (!c)
            die("calloc");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ask_for_stamps(fd);
        if (tls_context) {
            c->tls = SSL_new(tls_context);
            SSL_set_bio(c->tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
            SSL_set_accept_state(c->tls);
        }
        struct epoll_event interest = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &interest);
        accepted++;
    }
}

/* Sends itself datagrams until one arrives with a stamp; the socket then stays open, so that stamping goes on. */
static void wait_until_the_kernel_stamps(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, size) || getsockname(fd, (struct sockaddr *)&here, &size))
        die("datagram socket");
    ask_for_stamps(fd);
    for (int tries = 0; tries < 2000; tries++) {
        char byte = 0;
        uint64_t stamp_ns = 0;
        sendto(fd, &byte, 1, 0, (struct sockaddr *)&here, size);
        usleep(1000);
        while (receive(fd, &byte, 1, &stamp_ns) > 0)
            if (stamp_ns)
                return;
    }
    fputs("the kernel does not stamp packets\n", stderr);
    exit(1);
}

static void watch(int fd, void *as) {
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = as};
    if (fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &interest))
        die("epoll");
}

static void open_up(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, NULL);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listen_fd, (struct sockaddr *)&here, size) || listen(listen_fd, 4096) ||
        getsockname(listen_fd, (struct sockaddr *)&here, &size))
        die("listen");
    watch(listen_fd, &listen_fd);
    watch(timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), &timer_fd);
    watch(signal_fd = signalfd(-1, &ending, SFD_CLOEXEC), &signal_fd);
    wait_until_the_kernel_stamps();
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
}

static int conclude(const char *path) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(log_of, sizeof *log_of, logged, file) != logged || fclose(file))
        die(path);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    printf("{\"requests\": %lu, \"answered\": %zu, \"unanswered\": %lu, \"connections\": %lu, \"unstamped\": %lu, "
           "\"short_sends\": %lu, \"malformed\": %lu, \"cpu_s\": %.6f, \"span_s\": %.6f}\n",
           requests, logged, unanswered + heap_count, accepted, unstamped, short_sends, malformed, cpu_s,
           1e-9 * (double)(last_ns > first_ns ? last_ns - first_ns : 0));
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 7) {
        fputs("usage: truth_server SEED MEDIAN_US SIGMA|queue LOG [CERTIFICATE KEY]\n", stderr);
        return 2;
    }
    random_state = strtoull(argv[1], NULL, 10);
    median_ns = atof(argv[2]) * 1000;
    is_queue = !strcmp(argv[3], "queue");
    sigma = atof(argv[3]);
    if (argc == 7) {
        tls_context = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(tls_context, argv[5]) != 1 ||
            SSL_CTX_use_PrivateKey_file(tls_context, argv[6], SSL_FILETYPE_PEM) != 1)
            die("certificate");
    }
    open_up();
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            void *what = events[i].data.ptr;
            if (what == &listen_fd)
                accept_all();
            else if (what == &signal_fd)
                return conclude(argv[4]);
            else if (what == &timer_fd) {
                uint64_t expirations;
                if (read(timer_fd, &expirations, sizeof expirations) == sizeof expirations)
                    armed_ns = 0;
            } else
                read_from(what);
            answer_what_is_due();
        }
        while (buried)
            free(graveyard[--buried]);
        arm();
    }
}
