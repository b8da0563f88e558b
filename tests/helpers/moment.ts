/** Something that happens once: one side says so, another waits for it instead of for a while. */
export interface Moment {
  happens(): void;
  happened: Promise<void>;
}

export function moment(): Moment {
  let happens!: () => void;
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happens, happened };
}
