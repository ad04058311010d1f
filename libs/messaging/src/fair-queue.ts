/** Waiting items in lanes that take turns: an item waits only for those of its own lane. Each lane is limited. */
export class FairQueue<T> {
  /** In the order of their turns; a lane without items is removed. */
  private readonly lanes = new Map<string, T[]>();
  private count = 0;

  constructor(private readonly maxPerLane: number) {}

  get size(): number {
    return this.count;
  }

  /** False when the lane is full: the item was not taken. */
  push(lane: string, item: T): boolean {
    const items = this.lanes.get(lane) ?? [];
    if (items.length >= this.maxPerLane) return false;
    items.push(item);
    this.lanes.set(lane, items);
    this.count++;
    return true;
  }

  /** The oldest item of the lane whose turn it is; undefined when nothing waits. */
  take(): T | undefined {
    const [first] = this.lanes;
    if (first === undefined) return undefined;
    const [lane, items] = first;
    const item = items.shift();
    this.lanes.delete(lane);
    if (items.length > 0) this.lanes.set(lane, items);
    this.count--;
    return item;
  }
}
