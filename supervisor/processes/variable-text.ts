/** Value with its references replaced, or the reference that has no value. */
export type ExpandedText = { ok: true; text: string } | { ok: false; reference: string }

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
/**
 * Replaces `${NAME}` and `${NAME:-default}` in a value of `env` by a variable of the container, as Docker Compose does. `$${` is
 * a literal `${`; a `$` without a brace is unchanged.
 */
export function expandVariables(text: string, env: Readonly<Record<string, string | undefined>>): ExpandedText {
  let missing: string | undefined
  const expanded = text.replaceAll(/\$\$\{|\$\{(?:([^}]*)\})?/g, (reference, inner = '') => {
    if (reference === '$${') return '${'
    const [, name, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inner) ?? []
    const value = name === undefined ? undefined : env[name] || (fallback ?? env[name])
    if (value === undefined) missing ??= name === undefined ? '${' : `\${${name}}`
    return value ?? ''
  })
  return missing === undefined ? { ok: true, text: expanded } : { ok: false, reference: missing }
}
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the syntax is monohull's
