/** The user's own nginx.conf. */
export interface OwnNginxConf {
  path: string
  text: string
}
