/** Address of a worker, or of a link to it: a unix socket, or a TCP port on 127.0.0.1. */
export type WorkerAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; port: number }
