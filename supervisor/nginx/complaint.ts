import type { OwnNginxConf } from './own-conf.ts'

/** The rendered files of one configuration, by name relative to its folder, and the user's own nginx.conf if there is one. */
export interface RenderedNginx {
  files: ReadonlyMap<string, string>
  ownConf: OwnNginxConf | undefined
}

/**
 * What nginx says of the files of a configuration, in the names that the user knows: the own nginx.conf by its path, and a line that
 * was rendered by the keys that it is from.
 */
export function nameOrigins(output: readonly string[], rendered: RenderedNginx): string[] {
  const { ownConf: ownNginxConf } = rendered
  return output.map(line => {
    if (ownNginxConf) line = line.replace(/ nginx\.conf:(?=\d)/, () => ` ${ownNginxConf.path}:`)
    const keys = keysOf(line, rendered)
    return keys ? `${line} (${keys})` : line
  })
}

/** What to do about what nginx says of the files of a configuration. */
export function complaintFix(
  output: readonly string[],
  { ownConf: ownNginxConf }: Pick<RenderedNginx, 'ownConf'>,
): string {
  const text = output.join('\n')
  if (ownNginxConf && /unknown (log format )?"monohull_/.test(text))
    return `include all the snippets in ${ownNginxConf.path} that docs/guide/routing.md has in its nginx.conf`
  if (/"lua_package_path" directive is duplicate/.test(text))
    return 'leave lua_package_path out, and extend package.path in an init_by_lua_block: docs/guide/routing.md'
  const twice = /"(\w+)" directive is duplicate in \S*\/http\.d\//.exec(text)?.[1]
  if (twice === undefined) return 'mend what the message names; monohull render prints the rendered files'
  return `say ${twice} in a file of server.d, or by a key of the configuration; monohull render shows the line that is there`
}

/** `cache`, or `routes[1]: cache`: the comments above the line that nginx names. */
function keysOf(complaint: string, { files }: RenderedNginx): string | undefined {
  const [, file = '', line] = / in (rendered\/\S+):(\d+)$/.exec(complaint) ?? []
  const above = files.get(file)?.split('\n').slice(0, Number(line)) ?? []
  const nearest = above.findLast(text => /^\s*# /.test(text))
  const outer = nearest?.startsWith(' ') ? above.findLast(text => text.startsWith('# ')) : undefined
  return [outer, nearest].flatMap(text => text?.replace(/^\s*# /, '') ?? []).join(': ')
}
