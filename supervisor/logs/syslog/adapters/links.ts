import { spawn } from 'node:child_process'
import net from 'node:net'
import type { Writable } from 'node:stream'
import tls from 'node:tls'
import { errnoOf } from '../../../base/errors.ts'

/** Connection to a syslog server. */
export interface SyslogLink {
  stream: Writable
  /** Ends it at once. */
  destroy(): void
}

/** Events of a link. */
export interface LinkEvents {
  onOpen(): void
  /** Called once when the connection has failed or ended. */
  onEnd(reason: string): void
}

const perl = '/usr/bin/perl'
/**
 * Sends messages from stdin, each after its length, as datagrams to a unix socket, which Node cannot. Waits while the server has none, or
 * does not read. Says so when the first socket is connected.
 */
const datagrams = `
use Socket;
my ($path, $is_open) = @ARGV;
$| = 1;
sub connect_socket {
  close S;
  for my $type (SOCK_DGRAM, SOCK_STREAM) {
    socket(S, AF_UNIX, $type, 0) or next;
    if (connect(S, sockaddr_un($path))) { $stream = $type == SOCK_STREAM; print "open\\n" unless $is_open++; return 1 }
  }
  return 0;
}
$SIG{PIPE} = 'IGNORE';
my $connected = connect_socket();
print STDERR "$!\\n" unless $connected;
while (read(STDIN, my $head, 4) == 4) {
  my $length = unpack('N', $head);
  read(STDIN, my $message, $length) == $length or last;
  until ($connected && defined send(S, $stream ? "$length $message" : $message, 0)) {
    select(undef, undef, undef, 0.2);
    $connected = connect_socket();
  }
}
`

/** Link to a unix socket, by a child process. */
export function openUnixLink(path: string, { onOpen, onEnd }: LinkEvents): SyslogLink {
  const child = spawn(perl, ['-e', datagrams, path], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: {} })
  let reason = 'its sender ended'
  child.stdin.on('error', () => {})
  child.stdout.once('data', onOpen)
  child.stderr.on('data', (text: Buffer) => {
    reason = text.toString().trim()
  })
  child.on('error', error => onEnd(error.message))
  child.on('exit', () => onEnd(reason))
  return { stream: child.stdin, destroy: () => void child.kill('SIGKILL') }
}

/** Link by TCP. */
export function openTcpLink({ host, port }: { host: string; port: number }, events: LinkEvents): SyslogLink {
  return linkOver(net.connect({ host, port, keepAlive: true }), 'connect', events)
}

/** Link by TLS, to a server whose certificate is that of `host`. `ca`: its CA as PEM; undefined: those that Node knows. */
export function openTlsLink(
  { host, port, ca }: { host: string; port: number; ca: string | undefined },
  events: LinkEvents,
): SyslogLink {
  const name = net.isIP(host) === 0 ? { servername: host } : {}
  const socket = tls.connect({ host, port, ...name, ...(ca === undefined ? {} : { ca }) })
  socket.setKeepAlive(true)
  return linkOver(socket, 'secureConnect', events)
}

function linkOver(socket: net.Socket, opened: 'connect' | 'secureConnect', { onOpen, onEnd }: LinkEvents): SyslogLink {
  let reason = 'the server closed the connection'
  socket.once(opened, onOpen)
  socket.on('error', error => {
    const isUnknown = /CERT|VERIFY|ISSUER/.test(errnoOf(error) ?? '')
    reason = isUnknown ? `${error.message}; set logs.syslog_ca to the CA of its certificate` : error.message
  })
  socket.once('close', () => onEnd(reason))
  socket.resume()
  return { stream: socket, destroy: () => void socket.destroy() }
}
