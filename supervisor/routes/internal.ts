/** Pages of monohull itself that a route may lead to, by name: their path on the supervisor's socket, and whether there are others below it. */
const internalPages = {
  metrics: { path: '/metrics', hasMore: false },
  status: { path: '', hasMore: true },
} as const satisfies Record<string, { path: string; hasMore: boolean }>

/** Name of such a page. */
export type InternalPage = keyof typeof internalPages

/** Page of monohull itself, on the supervisor's unix socket. */
export interface InternalTarget {
  kind: 'internal'
  page: InternalPage
  socket: string
}

/** Bodies of the locations at and below the path of a route. A page with others below it is at the path with a slash. */
export function renderInternal({ page, socket }: InternalTarget, path: string): { at: string[]; below: string[] } {
  const { path: own, hasMore } = internalPages[page]
  const pass = (to: string) => ['include snippets/internal-target.conf;', `proxy_pass http://unix:${socket}:${to};`]
  if (!hasMore) return { at: pass(own), below: path === '/' ? pass(own) : ['return 404;'] }
  return { at: [`return 308 ${path}/$is_args$args;`], below: pass(`${own}/`) }
}
