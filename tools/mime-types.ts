import mimeDb from 'mime-db/db.json' with { type: 'json' }

interface MediaType {
  source?: string
  extensions?: string[]
}

/** Name of the file with nginx's media types. */
export const mimeTypesFile = 'nginx/snippets/mime-types.conf'

/** Extensions that mime-db lacks, or whose type there is not the one that browsers and IANA expect. */
const corrections: Record<string, string> = {
  cjs: 'text/javascript',
  flac: 'audio/flac',
  ico: 'image/x-icon',
  jsonl: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
  topojson: 'application/json',
  vcf: 'text/vcard',
}
/** Types of text outside `text/`. */
const otherText = ['application/javascript', 'application/json', 'application/jsonl', 'application/x-ndjson']
/** Registries by weight: a type that IANA knows goes before one that only a server's list has. */
const sources = ['nginx', 'apache', undefined, 'iana']
/** Kinds of types by weight, where several have the same extension: `application/xml` before `text/xml`, `video/mp4` before `application/mp4`. */
const kinds = ['application', 'audio', 'font', 'video']

/** nginx's media types by extension, from mime-db, and the types of static files that get a charset. Each extension has one type. */
export function renderMimeTypes(): string {
  const byExtension = new Map<string, string>()
  const types = mimeDb as Record<string, MediaType>
  for (const [type, { extensions = [] }] of Object.entries(types))
    for (const extension of extensions) {
      const known = byExtension.get(extension)
      if (known === undefined || rank(type, types) > rank(known, types)) byExtension.set(extension, type)
    }
  for (const [extension, type] of Object.entries(corrections)) byExtension.set(extension, type)

  const byType = new Map<string, string[]>()
  for (const [extension, type] of [...byExtension].sort()) byType.set(type, [...(byType.get(type) ?? []), extension])
  const sorted = [...byType].sort(([one], [other]) => (one < other ? -1 : 1))
  const texts = [...sorted.map(([type]) => type).filter(type => type.startsWith('text/')), ...otherText]
  return [
    '# Generated from mime-db by npm run build; do not edit',
    'types {',
    ...sorted.map(([type, extensions]) => `    ${type} ${extensions.join(' ')};`),
    '}',
    '# nginx always adds text/html',
    'charset_types',
    ...[...new Set(texts)].filter(type => type !== 'text/html').map(type => `    ${type}`),
    ';',
    '',
  ].join('\n')
}

/** Weight of a type among those that have the same extension. Registered names go before vendors' and experimental ones, short ones before long ones. */
function rank(type: string, types: Record<string, MediaType>): number {
  if (type === 'application/octet-stream') return -1
  const [kind = '', name = ''] = type.split('/')
  const facet = ['prs.', 'x-', 'x.', 'vnd.'].findIndex(prefix => name.startsWith(prefix))
  const weights = [facet < 0 ? 4 : facet, sources.indexOf(types[type]?.source), kinds.indexOf(kind) + 1]
  return weights.reduce((sum, weight) => sum * 10 + weight, 0) + 1 - type.length / 1000
}
