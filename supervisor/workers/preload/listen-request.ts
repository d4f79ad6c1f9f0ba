/** Arguments of `server.listen`. */
export type ListenArguments = [unknown?, ...unknown[]]

/** Where a server asked to listen. */
export interface ListenRequest {
  port: number | undefined
  host: string | undefined
  path: string | undefined
  /** Whether it brought a descriptor or handle of its own. */
  isHandle: boolean
  signal: unknown
  callback: ((...args: unknown[]) => void) | undefined
}

/** What `listen` was asked for, in any of its forms. */
export function parseListen(args: ListenArguments): ListenRequest {
  const callback = args.findLast(argument => typeof argument === 'function') as ListenRequest['callback']
  const [first, second] = args
  if (typeof first === 'object' && first !== null) {
    const { port, host, path, fd, signal, _handle, handle } = first as Record<string, unknown>
    return {
      port: toPort(port),
      host: typeof host === 'string' && host !== '' ? host : undefined,
      path: port === undefined && typeof path === 'string' ? path : undefined,
      isHandle: fd !== undefined || _handle !== undefined || handle !== undefined,
      signal,
      callback,
    }
  }
  const port = toPort(first)
  return {
    port,
    host: typeof second === 'string' && second !== '' ? second : undefined,
    path: port === undefined && typeof first === 'string' && first !== '' ? first : undefined,
    isHandle: false,
    signal: undefined,
    callback,
  }
}

/** `listen` for messages: `127.0.0.1:9090`, `/run/app.sock`. */
export function describeListen({ port, host, path, isHandle }: ListenRequest): string {
  if (path !== undefined) return path
  if (isHandle) return 'a descriptor of its own'
  return host === undefined ? `port ${port ?? 0}` : `${host}:${port ?? 0}`
}

/** Whether only this machine could reach the server. */
export function isLoopback({ host }: ListenRequest): boolean {
  return host !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|::ffff:127\..*)$/i.test(host)
}

function toPort(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+$/.test(value.trim()) ? Number(value) : undefined
}
