import { isHsts } from './hsts-name.ts'

/** A header of every answer in which the app has none of that name. */
export interface ResponseHeader {
  name: string
  /** With variables of nginx. */
  value: string
}

/** For every block with an `add_header` of its own, which nginx lets inherit none: those of the whole front. */
export const includeHeaders = 'include rendered/headers.conf;'

/** The same for the route with this number. */
export function includeRouteHeaders(route: number): string {
  return `include ${routeHeadersFile(route)};`
}

/** Where the headers are of the route with this number. */
export function routeHeadersFile(route: number): string {
  return `rendered/headers-${route}.conf`
}

/** For the http block: the values, empty where the app has set the header. nginx sends no empty header. */
export function renderHeaderValues(headers: readonly ResponseHeader[]): string[] {
  if (headers.length === 0) return []
  return ['', '# headers', ...headers.map(header => renderValue(header, frontValue(header)))]
}

/** The same for those of a route that the whole front has not. */
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

/** The text of rendered/headers.conf. */
export function renderHeaders(headers: readonly ResponseHeader[]): string[] {
  return commented(headers.map(header => `add_header ${header.name} ${frontValue(header)} always;`))
}

/** The same for a route. */
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
 * For a location that X-Accel-Redirect leads to: what the app did set, which nginx would drop with the rest of its answer.
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
