/** Address that nginx listens on. */
export interface ListenAddress {
  address: string
  port: number
}
