/** How requests are traced. */
export interface Traces {
  /** Share of new traces that are sampled, from 0 to 1. */
  share: number
  /** File for the spans of nginx itself; undefined: none, and a trace that a proxy began is passed on as it is. */
  spanFile: string | undefined
}

/** Maps for the http block: the header `traceparent` for apps and upstreams. */
export function renderTraceMaps({ share, spanFile }: Traces): string[] {
  const fresh = '00-$monohull_trace_id-$monohull_span_id'
  if (spanFile === undefined)
    return [
      ...renderNewFlags(share),
      'map $monohull_kept_traceparent $monohull_traceparent {',
      '    default $monohull_kept_traceparent;',
      `    '' ${fresh}-$monohull_new_flags;`,
      '}',
    ]
  return [
    ...renderNewFlags(share),
    'map $monohull_kept_traceparent $monohull_trace_flags {',
    `    '' $monohull_new_flags;`,
    '    "~(?<monohull_kept_flags>..)$" $monohull_kept_flags;',
    '}',
    'map $monohull_kept_traceparent $monohull_parent_id {',
    `    default '';`,
    '    "~^.{36}(?<monohull_kept_parent>.{16})" $monohull_kept_parent;',
    '}',
    `map '' $monohull_traceparent { default ${fresh}-$monohull_trace_flags; }`,
    'map $monohull_logged_trace:$monohull_trace_flags $monohull_has_span {',
    `    default '';`,
    '    "~^[0-9a-f]+:.[13579bdf]$" 1;',
    '}',
  ]
}

function renderNewFlags(share: number): string[] {
  const percent = (share * 100).toFixed(2)
  if (share === 1 || Number(percent) === 0)
    return [`map '' $monohull_new_flags { default ${share === 1 ? '01' : '00'}; }`]
  return [`split_clients $monohull_trace_id $monohull_new_flags { ${percent}% 01; * 00; }`]
}
