/**
 * What became of a message: `nobody` when certainly no such node is there, `away` when the place that carries it cannot be reached or
 * takes no more.
 */
export type Delivery = "heard" | "nobody" | "away";

/**
 * Carries messages between server nodes: whole, at most once, and in the order in which one node sent them to another. What
 * they mean, and whether they are genuine, is for those who seal them.
 */
export interface Bus extends AsyncDisposable {
  /**
   * Hears what is published to a node from now on, also after the place that carries it was away. The listener must not
   * throw. @returns a function that ends it
   */
  subscribe(nodeId: string, listener: (message: Uint8Array) => void): Promise<() => void>;
  publish(nodeId: string, message: Uint8Array): Promise<Delivery>;
}
