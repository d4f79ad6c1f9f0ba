import { isHsts } from './hsts-name.ts'

/** Header of every response, unless the app sets it itself. */
export interface ResponseHeader {
  name: string
  /** Value with nginx variables. */
  value: string
}

/** Directive for the headers of the whole front. Every block with its own `add_header` needs it, because nginx then inherits none. */
export const includeHeaders = 'include rendered/headers.conf;'

/** Directive for the headers of the route with this number. */
export function includeRouteHeaders(route: number): string {
  return `include ${routeHeadersFile(route)};`
}

/** Name of the file with the headers of the route with this number. */
export function routeHeadersFile(route: number): string {
  return `rendered/headers-${route}.conf`
}

/** Maps of header values, for the http block. A value is empty if the app has set the header; nginx does not send empty headers. */
export function renderHeaderValues(headers: readonly ResponseHeader[]): string[] {
  if (headers.length === 0) return []
  return ['', '# headers', ...headers.map(header => renderValue(header, frontValue(header)))]
}

/** Maps of header values of a route that differ from the whole front, for the http block. */
export function renderRouteHeaderValues(
  headers: readonly ResponseHeader[],
  front: readonly ResponseHeader[],
  route: number,
): string[] {
  const own = headers.filter(header => !has(front, header))
  return own.map(header => renderValue(header, routeValue(header, route)))
}

function renderValue({ name, value }: ResponseHeader, target: string): string {
  const given = `$upstream_http_${variable(name)}`
  const [source, absent] = isHsts(name) ? [`$monohull_proto:${given}`, 'https:'] : [given, `''`]
  return `map ${source} ${target} { default ''; ${absent} ${singleQuote(value)}; }`
}

/** Lines of rendered/headers.conf. */
export function renderHeaders(headers: readonly ResponseHeader[]): string[] {
  return commented(headers.map(header => `add_header ${header.name} ${frontValue(header)} always;`))
}

/** Lines of the file with the headers of a route. */
export function renderRouteHeaders(
  headers: readonly ResponseHeader[],
  front: readonly ResponseHeader[],
  route: number,
): string[] {
  return commented(
    headers.map(header => {
      const value = has(front, header) ? frontValue(header) : routeValue(header, route)
      return `add_header ${header.name} ${value} always;`
    }),
  )
}

/**
 * Lines for a location that X-Accel-Redirect leads to. They send the headers that the app has set, which nginx would drop with the rest of
 * the app's response.
 */
export function renderGivenHeaders(headers: readonly ResponseHeader[]): string[] {
  return headers.map(({ name }) => `add_header ${name} $upstream_http_${variable(name)} always;`)
}

function commented(lines: readonly string[]): string[] {
  return lines.length > 0 ? ['# headers', ...lines] : []
}

function has(headers: readonly ResponseHeader[], { name, value }: ResponseHeader): boolean {
  return headers.some(header => header.name === name && header.value === value)
}

function frontValue({ name }: ResponseHeader): string {
  return `$monohull_header_${variable(name)}`
}

function routeValue({ name }: ResponseHeader, route: number): string {
  return `$monohull_route_${route}_header_${variable(name)}`
}

function variable(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

function singleQuote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
