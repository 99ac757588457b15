/** `inarch/training`: losses, optimisers, schedules, sessions that take steps, and merging. */
export * from "../training/index.ts";
