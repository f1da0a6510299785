// The types that users see of labels, summaries and streams of events. `tsc --noEmit` is the judge.
import type {
  DroppedEvents,
  DurationSummary,
  EventStreamOptions,
  Label,
  Labels,
  Requirement,
  Requirements,
} from 'taskdist';
import { describe, expectTypeOf, it } from 'vitest';

describe('the types of labels', () => {
  it('take what is a label, and what can be required of one', () => {
    const labels = { gpu: true, memory: 8, region: 'eu' } as const;
    expectTypeOf(labels).toExtend<Labels>();
    expectTypeOf(labels).toExtend<Requirements>();
    const requirements = { gpu: false, memory: { min: 4 }, cores: { min: 2, max: 8 }, region: ['eu', 'us'] } as const;
    expectTypeOf(requirements).toExtend<Requirements>();
    expectTypeOf<Label>().toEqualTypeOf<string | number | boolean>();
  });

  it('take nothing else', () => {
    // @ts-expect-error: not a label
    const list: Labels = { region: ['eu'] };
    // @ts-expect-error: misspelt
    const range: Requirement = { mim: 4 };
    // @ts-expect-error: not a number
    const text: Requirement = { min: '4' };
    void [list, range, text];
  });
});

describe('the types of events and durations', () => {
  it('say what a stream is given and what it holds', () => {
    expectTypeOf<EventStreamOptions<'a'>>().toEqualTypeOf<{
      readonly types?: readonly 'a'[] | undefined;
      readonly signal?: AbortSignal | undefined;
      readonly limit?: number | undefined;
    }>();
    expectTypeOf<DroppedEvents>().toEqualTypeOf<{ readonly type: 'dropped'; readonly count: number }>();
    expectTypeOf<DurationSummary['p99']>().toBeNumber();
  });
});
