/** Equal plans give equal shops. */
export interface ShopPlan {
  /** Each of them has at least one good line in the shop's books. */
  customers: number;
  /** Calendar months, the last one being that of `until`. */
  months: number;
  /** ISO date of the last day in the books. */
  until: string;
  seed: number;
}
