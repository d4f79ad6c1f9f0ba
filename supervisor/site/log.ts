import { renderAccessFormat } from '../logs/access-fields.ts'
import { accessRules, loggedVariable, renderAccessMaps } from '../logs/access-rules.ts'
import { renderSpanFormat } from '../logs/otlp/span-line.ts'
import { renderTraceMaps } from '../logs/traces.ts'
import { bytesLogName } from '../nginx/log-tails.ts'
import { quote } from '../nginx/text.ts'
import { type AppUpstream, renderAddress } from '../workers/app-upstream.ts'
import { unansweredName } from '../workers/deaths/in-flight-requests.ts'
import type { AccessLog, NginxModel } from './model.ts'

const requestId = '$monohull_request_id'

/** Log directives for the http block. `access_log off` would disable every log of the block. */
export function renderLogs(model: NginxModel): string[] {
  const { accessLog, apps, workDir } = model
  const unanswered = `access_log ${quote(`${workDir}/${unansweredName}`)} monohull_unanswered if=$monohull_unanswered;`
  return [
    ...(apps.length > 0 ? [unanswered] : []),
    '# access_log, log_format',
    ...renderWorkerNames(apps),
    // the formats in snippets/log-formats.conf need them also without a log
    ...renderAccessMaps(accessLog ?? accessRules(false)),
    ...renderTraceMaps(model.traces),
    ...renderSpans(model.traces),
    ...(accessLog ? renderAccessLog(accessLog, workDir) : []),
    ...(!accessLog && apps.length === 0 && model.traces.spanFile === undefined ? ['access_log off;'] : []),
    renderLoggedId(model),
  ]
}

function renderSpans({ spanFile }: NginxModel['traces']): string[] {
  if (spanFile === undefined) return []
  return [
    ...renderSpanFormat(),
    `access_log ${quote(spanFile)} monohull_span buffer=64k flush=500ms if=$monohull_has_span;`,
  ]
}

/** Map for the worker at an address. That of a socket is found in Lua, because the socket of an entry changes. */
function renderWorkerNames(apps: readonly AppUpstream[]): string[] {
  const names = apps.flatMap(({ name, servers }) =>
    servers.flatMap(({ slot, address }) =>
      address.kind === 'tcp' ? [`    ${renderAddress(address)} ${name}.${slot};`] : [],
    ),
  )
  return ['map $monohull_last_address $monohull_responder {', "    default '';", ...names, '}']
}

/** Lines with bytes that need not be UTF-8 would be no JSON: the supervisor escapes them. */
function renderAccessLog(log: AccessLog, workDir: string): string[] {
  const { format, fields } = log
  const paths = [log.path, ...(log.files ?? [])]
  const name = fields ? 'monohull_fields' : `monohull_${format}`
  const own = fields ? [renderAccessFormat(name, format, fields)] : []
  const logged = loggedVariable(log)
  if (format !== 'json')
    return [...own, ...paths.map(path => `access_log ${quote(path)} ${name}${logged ? ` if=${logged}` : ''};`)]
  return [
    ...own,
    ...(logged ? renderLoggedBytes(logged) : []),
    ...paths.map(path => `access_log ${quote(path)} ${name} if=$monohull_is_${logged ? 'logged_' : ''}ascii;`),
    `access_log ${quote(`${workDir}/${bytesLogName}`)} ${name} if=$monohull_is_${logged ? 'logged_' : ''}not_ascii;`,
  ]
}

/** Maps for the requests with a line, by whether what the client wrote is ASCII. */
function renderLoggedBytes(logged: string): string[] {
  return ['ascii', 'not_ascii'].map(
    kind => `map $monohull_is_${kind}${logged} $monohull_is_logged_${kind} { default ''; 11 1; }`,
  )
}

/** Map for the request id in the log. Creating an id takes a tenth of the time of a static file, so requests whose id no one sees get none. */
function renderLoggedId(model: NginxModel): string {
  const none = model.accessLog?.format === 'json' ? `''` : '-'
  return mayExposeId(model)
    ? `map '' $monohull_logged_id { default ${requestId}; }`
    : `map $upstream_addr $monohull_logged_id { default ${requestId}; '' ${none}; }`
}

/** Whether the id of a request may be visible outside apps and upstreams: to the client, or in the user's directives. */
function mayExposeId({ front, routes, snippets, ownNginxConf }: NginxModel): boolean {
  const headers = [...front.headers, ...routes.flatMap(({ rules }) => rules.headers ?? [])]
  return (
    front.trust.proxies.length > 0 ||
    headers.some(({ value }) => value.includes('request_id')) ||
    snippets !== undefined ||
    ownNginxConf !== undefined ||
    routes.some(({ snippet }) => snippet !== undefined)
  )
}
