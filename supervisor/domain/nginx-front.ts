import type { Trust } from './nginx-forwarded.ts'

/** What holds for the whole front, whatever app or folder answers. Each part is rendered by a file of its own. */
export interface FrontRules {
  trust: Trust
}
