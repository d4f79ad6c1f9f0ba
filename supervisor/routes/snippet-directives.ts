/** Directives that may stand in a location several times, so that those of a snippet add to the others. */
const additive =
  /^(add_header|add_trailer|allow|deny|error_page|if|include|limit_conn|limit_req|location|proxy_cookie_\w+|proxy_hide_header|proxy_pass_header|proxy_redirect|set)$/

/** Keys of a route by the directives that they write. A snippet with such a directive contradicts its route, and nginx rejects it. */
const keys: Record<string, string> = {
  alias: 'files.root',
  auth_basic: 'basic_auth',
  auth_basic_user_file: 'basic_auth',
  autoindex: 'files.listing',
  client_max_body_size: 'max_body_size',
  default_type: 'response.content_type',
  disable_symlinks: 'files.symlinks',
  proxy_cache: 'cache',
  proxy_max_temp_file_size: 'response_buffering',
  proxy_pass: 'app or upstream',
  proxy_read_timeout: 'read_timeout',
  proxy_request_buffering: 'request_buffering',
  return: 'redirect or response',
  root: 'files.root',
  try_files: 'files.fallback',
}

/** Key of a route in place of a directive; undefined if there is none. */
export function keyOfDirective(name: string): string | undefined {
  return keys[name]
}

/** Lines of a location without those that the route's snippet replaces. `proxySettings`: lines of snippets/proxy.conf. */
export function withoutReplaced(
  lines: readonly string[],
  snippet: string | undefined,
  proxySettings: readonly string[],
): string[] {
  if (snippet === undefined) return [...lines]
  const replaced = directivesOf(snippet)
  const isKept = (line: string) => {
    const name = nameOf(line)
    return name === undefined || !replaced.has(name)
  }
  const own = proxySettings.filter(line => line !== '' && !line.startsWith('#'))
  const ofProxy = own.every(isKept) ? undefined : own.filter(isKept)
  return lines.flatMap(line => {
    const [, indent = '', text = ''] = /^(\s*)(.*)$/.exec(line) ?? []
    if (ofProxy && text === 'include snippets/proxy.conf;') return ofProxy.map(directive => indent + directive)
    // nested blocks have rules of their own
    return indent.length > 4 || isKept(text) ? [line] : []
  })
}

/** Value of `proxy_buffer_size` in a snippet, in lower case. */
export function headSizeIn(snippet: string): string | undefined {
  return /^\s*proxy_buffer_size\s+(\d{1,9}[km]?)\s*;/im.exec(snippet)?.[1]?.toLowerCase()
}

/** Names of the directives in a text, outside of blocks; those that only add to others, or that a key writes, are omitted. */
function directivesOf(text: string): Set<string> {
  const found = new Set<string>()
  const token = /\s+|#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|\\.|[^\s{};"'\\]+/gy
  let depth = 0
  let words: string[] = []
  for (const [word] of text.matchAll(token)) {
    if (/^\s/.test(word) || (word.startsWith('#') && words.length === 0)) continue
    if (word === '{') depth += 1
    if (word === '}') depth -= 1
    if (!/^[{};]$/.test(word)) words.push(word)
    else {
      const name = depth === 0 && word === ';' ? nameOf(`${words.join(' ')};`) : undefined
      if (name !== undefined) found.add(name)
      words = []
    }
  }
  return found
}

/** Name of a simple directive that another one of the same name replaces, with the header that it sets. */
function nameOf(line: string): string | undefined {
  const [, name = '', first = ''] = /^([a-z_0-9]+)(?:\s+([^\s;]+))?[^{}]*;$/.exec(line.trim()) ?? []
  if (name === '' || additive.test(name) || keys[name] !== undefined) return undefined
  return name === 'proxy_set_header' ? `${name} ${first.replaceAll(/["']/g, '').toLowerCase()}` : name
}
