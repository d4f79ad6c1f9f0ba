/** Beginnings of nginx's messages that show that a server speaks another protocol, with the explanation. */
const signs: readonly [RegExp, string][] = [
  // the first bytes of HTTP/1.1 as a version, and as the length of a frame
  [
    /^upstream sent unsupported FastCGI protocol version: 72 /,
    'the server responds in HTTP, not FastCGI: remove protocol: fastcgi, or let it listen for FastCGI',
  ],
  [
    /^upstream sent unsupported FastCGI protocol version: 21 /,
    'the server speaks TLS, which nginx does not for FastCGI: name its port without TLS',
  ],
  [
    /^upstream sent unsupported FastCGI protocol version: /,
    'the server does not speak FastCGI: set protocol to what it speaks',
  ],
  [
    /^upstream sent too large http2 frame: 4740180 /,
    'the server responds in HTTP/1, not gRPC: remove protocol: grpc, or let it listen for gRPC without TLS',
  ],
  // an alert of TLS
  [
    /^upstream sent too large http2 frame: 13770(25|26|27|28) /,
    'the server speaks TLS: set tls of the upstream (tls: {}), or let it listen for gRPC without TLS',
  ],
  [/^upstream sent too large http2 frame: /, 'the server does not speak gRPC: set protocol to what it speaks'],
  [
    /^SSL_do_handshake\(\) failed \(SSL: error:\w+:SSL routines:\w*:wrong version number\) while SSL handshaking to upstream/,
    'the server does not speak TLS at this port: remove tls from the upstream, or name its TLS port',
  ],
]

/** Explanation of a message, without its head, about a server that speaks another protocol than configured; undefined for all others. */
export function explainMismatch(message: string): string | undefined {
  return signs.find(([sign]) => sign.test(message))?.[1]
}
