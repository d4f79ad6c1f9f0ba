import type { OwnNginxConf } from './own-conf.ts'
import { nameOriginals } from './own-files.ts'

/** Rendered files of one configuration, by name relative to its directory, and the user's own nginx.conf if there is one. */
export interface RenderedNginx {
  files: ReadonlyMap<string, string>
  ownConf: OwnNginxConf | undefined
  /** Key of a route that writes a directive. */
  keyOf?(directive: string): string | undefined
}

/**
 * nginx's output with names that the user knows: the user's own files by their paths, and rendered lines with the keys that produced
 * them.
 */
export function nameOrigins(output: readonly string[], rendered: RenderedNginx): string[] {
  const { ownConf: ownNginxConf } = rendered
  return output.map(line => {
    if (ownNginxConf) line = line.replace(/ nginx\.conf:(?=\d)/, () => ` ${ownNginxConf.path}:`)
    line = nameOriginals(line)
    const keys = keysOf(line, rendered)
    return keys ? `${line} (${keys})` : line
  })
}

/** Fix for nginx's output about a configuration. */
export function complaintFix(
  output: readonly string[],
  { ownConf: ownNginxConf, keyOf }: Pick<RenderedNginx, 'ownConf' | 'keyOf'>,
): string {
  const text = output.join('\n')
  if (ownNginxConf && /unknown (log format )?"monohull_/.test(text))
    return `include in ${ownNginxConf.path} all snippets that the nginx.conf in docs/guide/routing.md includes`
  if (/"lua_package_path" directive is duplicate/.test(text))
    return 'remove lua_package_path, and extend package.path in an init_by_lua_block: see docs/guide/routing.md'
  if (/"init_worker_by_lua\w*" directive is duplicate/.test(text))
    return 'define the function monohull_init_worker in an init_by_lua_block instead: see docs/guide/routing.md'
  const twice = /"(\w+)" directive is duplicate in \S*\/http\.d\//.exec(text)?.[1]
  const [, replaced] = /"(\w+)" directive is duplicate/.exec(text) ?? []
  const key = replaced === undefined ? undefined : keyOf?.(replaced)
  if (twice === undefined && key !== undefined)
    return `remove ${replaced} from the snippet, and set it with the route's key ${key}`
  if (/"proxy_busy_buffers_size" must be/.test(text))
    return "set the route's key response_header_size in place of proxy_buffer_size, or proxy_buffers and proxy_busy_buffers_size too"
  if (twice === undefined) return 'fix what the message names; monohull render prints the rendered files'
  return `set ${twice} in a file in server.d, or with a configuration key; monohull render shows the existing line`
}

/** Keys that produced the line that nginx names, such as `cache` or `routes[1]: cache`, from the comments above it. */
function keysOf(complaint: string, { files }: RenderedNginx): string | undefined {
  const [, file = '', line] = / in (rendered\/\S+):(\d+)$/.exec(complaint) ?? []
  const above = files.get(file)?.split('\n').slice(0, Number(line)) ?? []
  const nearest = above.findLast(text => /^\s*# /.test(text))
  const outer = nearest?.startsWith(' ') ? above.findLast(text => text.startsWith('# ')) : undefined
  return [outer, nearest].flatMap(text => text?.replace(/^\s*# /, '') ?? []).join(': ')
}
