// An HTTP server on the socket inherited as file descriptor 3: one thread per connection, one request each.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET = 3, MOST_HEAD = 16384 };

static volatile sig_atomic_t terminated;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static int open_connections;

static void on_term(int signal) {
  (void)signal;
  terminated = 1;
}

static void respond(int connection, const char *body, size_t length) {
  char head[128];
  int size = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", length);
  if (write(connection, head, size) == size)
    while (length > 0) {
      ssize_t written = write(connection, body, length);
      if (written <= 0) return;
      body += written;
      length -= written;
    }
}

// Responds with the request body; `head` contains the bytes read so far.
static void echo(int connection, const char *head, size_t have) {
  const char *header = strcasestr(head, "\r\nContent-Length:");
  size_t length = header ? strtoul(header + 17, NULL, 10) : 0;
  const char *start = strstr(head, "\r\n\r\n") + 4;
  char *body = malloc(length + 1);
  size_t got = have - (start - head);
  if (!body || got > length) return free(body);
  memcpy(body, start, got);
  while (got < length) {
    ssize_t more = read(connection, body + got, length - got);
    if (more <= 0) return free(body);
    got += more;
  }
  respond(connection, body, length);
  free(body);
}

static void *serve(void *argument) {
  int connection = (int)(long)argument;
  char head[MOST_HEAD + 1] = "";
  size_t have = 0;
  while (!strstr(head, "\r\n\r\n")) {
    ssize_t more = have < MOST_HEAD ? read(connection, head + have, MOST_HEAD - have) : 0;
    if (more <= 0) goto done;
    have += more;
    head[have] = '\0';
  }
  if (strstr(head, " /echo ")) {
    echo(connection, head, have);
  } else if (strstr(head, " /slow ")) {
    sleep(1);
    respond(connection, "done", 4);
  } else {
    char body[128];
    const char *worker = getenv("MONOHULL_WORKER");
    const char *protocol = strcasestr(head, "X-Forwarded-Proto: https") ? "https" : "http";
    int size = snprintf(body, sizeof body, "{\"app\":\"c\",\"worker\":\"%s\",\"protocol\":\"%s\"}", worker ? worker : "", protocol);
    respond(connection, body, size);
  }
done:
  close(connection);
  pthread_mutex_lock(&lock);
  if (--open_connections == 0) pthread_cond_signal(&idle);
  pthread_mutex_unlock(&lock);
  return NULL;
}

int main(void) {
  const char *descriptors = getenv("LISTEN_FDS");
  if (!descriptors || strcmp(descriptors, "1") != 0) {
    fputs("LISTEN_FDS is not 1: start it with monohull run ./server\n", stderr);
    return 78;
  }
  struct sigaction term = {.sa_handler = on_term};
  sigset_t blocked, none;
  sigemptyset(&none);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaction(SIGTERM, &term, NULL);
  signal(SIGPIPE, SIG_IGN);
  // Only the main thread gets TERM, and only while it waits, so no signal is missed
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);

  while (!terminated) {
    struct pollfd waiting = {.fd = SOCKET, .events = POLLIN};
    if (ppoll(&waiting, 1, NULL, &none) <= 0) continue;
    int connection = accept(SOCKET, NULL, NULL);
    if (connection < 0) continue;
    pthread_mutex_lock(&lock);
    open_connections++;
    pthread_mutex_unlock(&lock);
    pthread_t thread;
    pthread_create(&thread, NULL, serve, (void *)(long)connection);
    pthread_detach(thread);
  }
  pthread_mutex_lock(&lock);
  while (open_connections > 0) pthread_cond_wait(&idle, &lock);
  return 0;
}
