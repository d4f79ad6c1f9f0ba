/** A value as nginx reads it back. There is no way to write a `$` that is no variable: paths that hold one are refused before. */
export function quote(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Whether nginx has no way to read a path: it takes some characters for its own. */
export function isUnfitPath(path: string): boolean {
  return /[$"\\;{}\p{Cc}]/u.test(path)
}

/** A text that may hold `$`, where nginx reads variables. */
export function literal(value: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is nginx's
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '${monohull_dollar}')
  return `"${escaped}"`
}

/** A directive that calls a function in nginx/lua/monohull: `callLua('log', 'busy.count', 'web')`. */
export function callLua(phase: string, name: string, ...values: readonly string[]): string {
  const [module, method] = name.split('.')
  const loaded = `require(${quoteLua(`monohull.${module}`)})`
  return `${phase}_by_lua_block { ${loaded}.${method}(${values.map(quoteLua).join(', ')}) }`
}

/** A text as Lua reads it back. */
function quoteLua(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A location. */
export function block(match: string, body: readonly string[]): string[] {
  return [`location ${match} {`, ...body.map(line => `    ${line}`), '}']
}

/** The text of a file. */
export function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`
}
