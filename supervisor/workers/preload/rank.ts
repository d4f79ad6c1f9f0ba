import { isLoopback, type ListenRequest } from './listen-request.ts'

/** Rank from which a server is taken for the public one as soon as it listens. */
export const sureRank = 2
/** Resources of Node that an app has while it does nothing but serve. */
const quietResources = /^(TCPServerWrap|PipeWrap|PipeServerWrap|TTYWrap|FSEventWrap|SignalWrap|StatWatcher)$/

/** Rank of a server. 3: on $PORT; 2: open to others; 1: the same, but not on the $PORT that is set; 0: for this machine only. */
export function rankOf(request: ListenRequest): number {
  const { PORT } = process.env
  if (request.isHandle || (PORT && request.port === Number(PORT))) return 3
  if (isLoopback(request)) return 0
  return PORT ? 1 : sureRank
}

/** Whether nothing but servers keeps the app busy: no timer, connection, file or question to a name server. */
export function isQuiet(): boolean {
  const resources = process.getActiveResourcesInfo?.() ?? []
  const busy = resources.filter(name => !quietResources.test(name))
  // one timer is the one that asks
  return busy.length === 0 || (busy.length === 1 && busy[0] === 'Timeout')
}
