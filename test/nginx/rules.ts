import { retryTarget } from '../../supervisor/workers/deaths/retry-locations.ts'
import type { Directive } from './directives.ts'

/** A block with the directives in it, and the blocks around it, the outermost first. */
interface Place {
  block: Directive
  around: readonly Directive[]
  /** Maps of the whole configuration, by their variable. */
  maps: ReadonlyMap<string, Directive[]>
}

type Rule = (place: Place) => string[]

/**
 * Mistakes that pass `nginx -t`: the checks of Gixy (github.com/yandex/gixy), and those for which a location inherits
 * less than it seems to.
 */
const rules: Record<string, Rule> = {
  'host spoofing': ({ block }) =>
    own(block, 'proxy_set_header').flatMap(({ args: [name = '', value = ''] }) =>
      name.toLowerCase() === 'host' && /\$(http_host|arg_|cookie_|http_)/.test(value) ? [value] : [],
    ),

  'request forgery: a host that the client has a say in': ({ block, maps }) =>
    own(block, 'proxy_pass').flatMap(({ args: [url = ''] }) => {
      const [, host = '', rest = ''] = /^https?:\/\/([\w.:/-]*\/[\w./:-]*|[\w.:-]*)(.*)$/.exec(url) ?? []
      const variable = /^\$\w+/.exec(rest)?.[0]
      // the supervisor names the server of another try
      if (variable === undefined || variable === retryTarget || host.includes('/')) return []
      const isSafe = host === '' ? isConstant(maps.get(variable)) : isPath(variable, maps)
      return isSafe ? [] : [url]
    }),

  'a redirect to wherever the client says': ({ block, maps }) =>
    own(block, 'return').flatMap(({ args: [status = '', target = ''] }) => {
      if (!/^30[12378]$/.test(status)) return []
      const rest = /^https?:\/\/(?:[\w.:-]|\$host|\$monohull_host_name)+(.*)$/.exec(target)?.[1]
      const variable = /^\$\w+/.exec(rest ?? '')?.[0]
      const bare = /^\/(\$(?!is_args)\w+)/.exec(target)?.[1]
      const isSafe =
        rest === undefined
          ? !target.startsWith('$') && (!bare || hasNoSlash(bare, maps))
          : !variable || isPath(variable, maps)
      return isSafe ? [] : [target]
    }),

  'a split answer: a decoded path in a header': ({ block }) =>
    (block.block ?? []).flatMap(({ name, args }) =>
      /^(return|rewrite|add_header|proxy_set_header|proxy_pass|proxy_redirect)$/.test(name)
        ? args.filter(arg => /\$(uri|document_uri)\b/.test(arg))
        : [],
    ),

  'alias: a prefix that ends within a name': ({ block }) =>
    own(block, 'alias').flatMap(({ args: [folder = ''] }) => {
      const path = block.args.at(-1) ?? ''
      return block.args[0] !== '=' && folder.endsWith('/') !== path.endsWith('/') ? [`${path} ${folder}`] : []
    }),

  'add_header: what is around it is not inherited': ({ block, around }) => {
    const names = headersOf(block)
    if (names.length === 0) return []
    const inherited = around.map(headersOf).findLast(outer => outer.length > 0) ?? []
    // those of a route are written whole, without what it leaves out
    if (own(block, 'include').some(({ args }) => /headers-\d+\.conf$/.test(args[0] ?? ''))) return []
    // a cookie for a worker is for answers of one
    return inherited.filter(name => name !== 'set-cookie' && !names.includes(name))
  },

  'proxy_set_header: what is around it is not inherited': ({ block, around }) => {
    const sent = [...around, block].map(each => own(each, 'proxy_set_header')).findLast(headers => headers.length > 0)
    const hasHost = sent?.some(({ args }) => args[0]?.toLowerCase() === 'host')
    return own(block, 'proxy_pass').length > 0 && !hasHost ? ['no Host'] : []
  },

  'error_page: what is around it is not inherited': ({ block, around }) => {
    const codes = codesOf(block)
    // a page with a status of its own would be an answer of the auth server
    if (/\/forward-auth-\d+$/.test(block.args.at(-1) ?? '')) return []
    const inherited = around.map(codesOf).findLast(outer => outer.length > 0) ?? []
    // one that always returns the same status needs no other page
    const isConstantStatus = own(block, 'return').some(({ args: [status = ''] }) => codes.includes(status))
    return codes.length === 0 || isConstantStatus ? [] : inherited.filter(code => !codes.includes(code))
  },

  'allow without deny': ({ block }) =>
    own(block, 'allow').some(({ args }) => args[0] !== 'all') &&
    !own(block, 'deny').some(({ args }) => args[0] === 'all')
      ? own(block, 'allow').flatMap(({ args }) => args)
      : [],

  'return: before anybody is asked who it is': ({ block, around }) => {
    const named = block.name === 'location' && block.args[0]?.startsWith('@')
    if (block.name !== 'location' || named) return []
    const guards = [...around, block].map(guardOf).findLast(guard => guard !== undefined)
    // what tells nothing, or leads to where it is asked
    const tells = own(block, 'return').filter(({ args: [status = '', target = ''] }) => {
      return !/^[45]/.test(status) && target !== `${block.args.at(-1)}/$is_args$args`
    })
    return guards === 'closed' ? tells.map(({ args }) => args.join(' ')) : []
  },

  'a Referer of none is let in': ({ block }) =>
    own(block, 'valid_referers').flatMap(({ args }) => args.filter(arg => arg === 'none')),

  'Origin or Referer compared with a loose pattern': ({ block: { name, args } }) => {
    const condition = args.join(' ')
    const isLoose = /\$http_(origin|referer) ~/.test(condition) && !/~\*? \^.*\$ *\)$/.test(condition)
    return name === 'if' && isLoose ? [condition] : []
  },

  'the version is told': ({ block }) =>
    block.name === 'http' && !own(block, 'server_tokens').some(({ args }) => args[0] === 'off') ? ['http'] : [],
}

/** What the rules find: `rule: where: what`. */
export function findMistakes(configuration: readonly Directive[]): string[] {
  const all = flatten(configuration)
  const maps = new Map(
    all.flatMap(({ name, args, block }) => (name === 'map' && args[1] && block ? [[args[1], block] as const] : [])),
  )
  const found: string[] = []
  function visit(block: Directive, around: readonly Directive[]): void {
    for (const [name, rule] of Object.entries(rules))
      for (const what of rule({ block, around, maps }))
        found.push(`${name}: ${[block.name, ...block.args].join(' ')}: ${what}`)
    for (const inner of block.block ?? []) if (inner.block && inner.name !== 'map') visit(inner, [...around, block])
  }
  for (const directive of configuration) if (directive.block && directive.name !== 'map') visit(directive, [])
  return found
}

function own({ block = [] }: Directive, name: string): Directive[] {
  return block.filter(directive => directive.name === name)
}

function headersOf(block: Directive): string[] {
  return own(block, 'add_header').map(({ args }) => args[0]?.toLowerCase() ?? '')
}

function codesOf(block: Directive): string[] {
  return own(block, 'error_page').flatMap(({ args }) => args.slice(0, -1).filter(arg => !arg.startsWith('=')))
}

function guardOf(block: Directive): 'open' | 'closed' | undefined {
  const auth = own(block, 'auth_basic').map(({ args }) => args[0] !== 'off')
  const networks = own(block, 'deny').length > 0 || (own(block, 'allow').length > 0 ? false : undefined)
  const said = [...auth, networks].filter(one => one !== undefined)
  return said.length === 0 ? undefined : said.includes(true) ? 'closed' : 'open'
}

function flatten(directives: readonly Directive[]): Directive[] {
  return directives.flatMap(directive => [directive, ...flatten(directive.block ?? [])])
}

function isConstant(map: Directive[] | undefined): boolean {
  return map?.every(({ args }) => !args[0]?.includes('$')) ?? false
}

/** Whether a variable is empty or begins with a slash, so that nothing of it belongs to the host before it. */
function isPath(variable: string, maps: Place['maps']): boolean {
  if (variable === '$request_uri' || variable === '$monohull_path') return true
  return (
    maps.get(variable)?.every(({ name, args: [value = ''] }) => {
      return (
        value === '' ||
        value.startsWith('/') ||
        value === '$monohull_path' ||
        (value === '$1' && /^~\^[^(]*\(\//.test(name))
      )
    }) ?? false
  )
}

/** Whether a variable does not begin with a slash or a backslash. */
function hasNoSlash(variable: string, maps: Place['maps']): boolean {
  const values = maps.get(variable) ?? [{ name: '', args: ['$1'] }]
  return values.every(({ name, args: [value] }) => value === '' || (value === '$1' && name.includes('[/\\\\]*(')))
}
