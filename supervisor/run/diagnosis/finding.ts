import type { Settings } from '../../site/settings.ts'

/** One finding of a diagnosis. */
export interface Finding {
  level: 'problem' | 'warning' | 'note'
  /** Subject, such as `memory`, or a key of the configuration. */
  about: string
  text: string
  /** What fixes it, with the flag or key. */
  fix?: string
}

/** Settings that a diagnosis depends on. */
export type DiagnosedSettings = Pick<Settings, 'config' | 'apps' | 'nginxConnections' | 'nginxProcesses'>
