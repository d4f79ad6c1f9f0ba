/** A header of every answer in which the app has none of that name. */
export interface ResponseHeader {
  name: string
  value: string
}

/** For every block with an `add_header` of its own, which nginx lets inherit none: those of the whole front. */
export const includeHeaders = 'include rendered/headers.conf;'

/** For the http block: the values, empty where the app has set the header. nginx sends no empty header. */
export function renderHeaderValues(headers: readonly ResponseHeader[]): string[] {
  if (headers.length === 0) return []
  return ['', '# headers', ...headers.map(renderValue)]
}

function renderValue({ name, value }: ResponseHeader): string {
  const given = `$upstream_http_${variable(name)}`
  // a browser must not take it from plain HTTP (RFC 6797, 7.2)
  const [source, absent] =
    name.toLowerCase() === 'strict-transport-security' ? [`$monohull_proto:${given}`, 'https:'] : [given, `''`]
  return `map ${source} $monohull_header_${variable(name)} { default ''; ${absent} ${singleQuote(value)}; }`
}

/** The text of rendered/headers.conf. */
export function renderHeaders(headers: readonly ResponseHeader[]): string[] {
  return headers.map(({ name }) => `add_header ${name} $monohull_header_${variable(name)} always;`)
}

/**
 * For a location that X-Accel-Redirect leads to: what the app did set, which nginx would drop with the rest of its answer.
 */
export function renderGivenHeaders(headers: readonly ResponseHeader[]): string[] {
  return headers.map(({ name }) => `add_header ${name} $upstream_http_${variable(name)} always;`)
}

function variable(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

function singleQuote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
