/** Where a worker, or what leads to it, is connected to. */
export type WorkerAddress = { kind: 'unix'; path: string } | { kind: 'tcp'; port: number }
