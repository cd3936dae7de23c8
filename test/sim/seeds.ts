/** Seeds of a run: 1 to 60, or as many as `P2P_SIM_SEEDS` says; or the single one of `P2P_SIM_SEED`, to see a failure again. */
export function seeds(most = 60): readonly number[] {
  const one = process.env["P2P_SIM_SEED"];
  if (one !== undefined) return [Number(one)];
  const wanted = process.env["P2P_SIM_SEEDS"];
  return Array.from({ length: wanted === undefined ? most : Number(wanted) }, (_, index) => index + 1);
}
