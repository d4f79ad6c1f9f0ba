/** Value as an nginx parameter, quoted if necessary. Cannot write a literal `$`: paths that contain one are rejected earlier. */
export function quote(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Whether a path contains characters that nginx would misread. */
export function isUnfitPath(path: string): boolean {
  return /[$"\\;{}\p{Cc}]/u.test(path)
}

/** Text, possibly with `$`, as a parameter in which nginx expands variables. */
export function literal(value: string): string {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax is nginx's
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '${monohull_dollar}')
  return `"${escaped}"`
}

/** Directive that calls a function in nginx/lua/monohull: `callLua('log', 'busy.count', 'web')`. */
export function callLua(phase: string, name: string, ...values: readonly string[]): string {
  return callLuaInTurn(phase, [[name, ...values]])
}

/** Directive that calls several functions, one after the other: nginx accepts one directive for each phase of a location. */
export function callLuaInTurn(phase: string, calls: readonly (readonly [string, ...string[]])[]): string {
  return `${phase}_by_lua_block { ${calls.map(luaCall).join('; ')} }`
}

/** Directive that calls such a function when nginx sets variables for a location. The variable becomes empty. */
export function callLuaToSet(variable: string, name: string, ...values: readonly string[]): string {
  return `set_by_lua_block ${variable} { ${luaCall([name, ...values])} }`
}

/** Directive that sets a variable for a location to what such a function returns. */
export function callLuaToGet(variable: string, name: string, ...values: readonly string[]): string {
  return `set_by_lua_block ${variable} { return ${luaCall([name, ...values])} }`
}

function luaCall([name, ...values]: readonly [string, ...string[]]): string {
  const [module, method] = name.split('.')
  return `require(${quoteLua(`monohull.${module}`)}).${method}(${values.map(quoteLua).join(', ')})`
}

/** Text as a Lua string literal. */
function quoteLua(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Location block. */
export function block(match: string, body: readonly string[]): string[] {
  return [`location ${match} {`, ...body.map(line => `    ${line}`), '}']
}

/** Text of a file with these lines. */
export function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`
}
