import type { AccessField } from './access-fields.ts'
import type { AccessLogConfig } from './access-log-keys.ts'
import { parameterPatterns, type Redacted, redactedQuery, redactedValue } from './redaction.ts'

/** Which requests get a line in the access log, and what is in it. */
export interface AccessRules {
  /** Undefined: the usual line of the format. */
  fields: readonly AccessField[] | undefined
  excludedPaths: readonly string[]
  redacted: readonly Redacted[]
  /** Share of requests, from 0 to 1. */
  sample: number
}

/** Rules for a value of the key `access_log`. */
export function accessRules(config: AccessLogConfig): AccessRules {
  if (typeof config === 'boolean') return { fields: undefined, excludedPaths: [], redacted: [], sample: 1 }
  const { fields, exclude_paths, redact, sample } = config
  return { fields, excludedPaths: exclude_paths, redacted: redact, sample }
}

/** Variable that is empty for requests without a line; undefined if every request has one. */
export function loggedVariable({ excludedPaths, sample }: AccessRules): string | undefined {
  return excludedPaths.length > 0 || sample < 1 ? '$monohull_is_logged' : undefined
}

/** Maps for the http block. */
export function renderAccessMaps(rules: AccessRules): string[] {
  return [...renderRedaction(rules), ...renderSelection(rules)]
}

function renderRedaction({ redacted }: AccessRules): string[] {
  const hidesQuery = redacted.includes('query')
  const address = redacted.includes('remote_addr')
    ? [
        'map $remote_addr $monohull_logged_addr {',
        '    default -;',
        '    "~^(?<monohull_net4>\\d+\\.\\d+\\.\\d+)\\.\\d+$" $monohull_net4.0;',
        '    "~^(?<monohull_net6>[0-9a-f]+:[0-9a-f]+:[0-9a-f]+):" $monohull_net6::;',
        '    "~^(?<monohull_short6>[0-9a-f:]*?)::" $monohull_short6::;',
        '}',
      ]
    : [`map '' $monohull_logged_addr { default $remote_addr; }`]
  const parameters = parameterPatterns(redacted)
  const requestLine = `map '' $monohull_logged_request { default "$monohull_method $monohull_logged_uri $server_protocol"; }`
  if (parameters.length > 0)
    return [
      ...address,
      ...withoutParameters('$request_uri', '$monohull_logged_uri', parameters),
      ...withoutParameters('$http_referer', '$monohull_logged_referer', parameters),
      requestLine,
    ]
  if (!hidesQuery)
    return [
      ...address,
      `map '' $monohull_logged_uri { default $request_uri; }`,
      `map '' $monohull_logged_request { default $request; }`,
      `map '' $monohull_logged_referer { default $http_referer; }`,
    ]
  const withoutQuery = (from: string, to: string, name: string) =>
    `map ${from} ${to} { default ${from}; "~^(?<${name}>[^?]*)\\?" "$${name}${redactedQuery}"; }`
  return [
    ...address,
    withoutQuery('$request_uri', '$monohull_logged_uri', 'monohull_uri_path'),
    withoutQuery('$http_referer', '$monohull_logged_referer', 'monohull_referer_path'),
    requestLine,
  ]
}

/** Maps that remove the values of parameters, one after the other. A map replaces once, so what follows a repeated parameter is removed too. */
function withoutParameters(from: string, to: string, parameters: readonly string[]): string[] {
  const start = '[^?]*\\?(?:.*?[&;?])??'
  return parameters.flatMap((pattern, index) => {
    const source = index === 0 ? from : `${to}_${index}`
    const target = index === parameters.length - 1 ? to : `${to}_${index + 1}`
    const part = (name: string) => `${target.slice(1)}_${name}`
    const [first, before, after] = [part('first'), part('before'), part('after')]
    return [
      `map ${source} ${target} {`,
      `    default ${source};`,
      `    "~*^(?<${first}>${start}${pattern})[^&]*&(?:.*[&;?])?${pattern}" "$${first}${redactedValue}";`,
      `    "~*^(?<${before}>${start}${pattern})[^&]*(?<${after}>.*)$" "$${before}${redactedValue}$${after}";`,
      '}',
    ]
  })
}

function renderSelection(rules: AccessRules): string[] {
  const { excludedPaths, sample } = rules
  if (loggedVariable(rules) === undefined) return []
  const excluded = excludedPaths.length > 0 ? [`    "~^(?:${excludedPaths.map(toPattern).join('|')})$" '';`] : []
  if (sample === 1) return ['map $monohull_path $monohull_is_logged {', '    default 1;', ...excluded, '}']
  const percent = (sample * 100).toFixed(2)
  return [
    'split_clients "$connection $connection_requests $msec" $monohull_is_sampled {',
    ...(Number(percent) > 0 ? [`    ${percent}% 1;`] : []),
    `    * '';`,
    '}',
    `map $status $monohull_is_chosen { default $monohull_is_sampled; ~^5 1; }`,
    'map $monohull_path $monohull_is_logged {',
    '    default $monohull_is_chosen;',
    ...excluded,
    '}',
  ]
}

function toPattern(path: string): string {
  return path.replace(/[.+()|[\]^]/g, '\\$&').replace(/\*$/, '.*')
}
