/**
 * What a person has filled in, as `view.state.values` shows it.
 *
 * @see https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
 */
import { elementsOf } from './block-kit/blocks.ts';
import { optionsOf } from './block-kit/elements.ts';
import { isObject, type Json, objects } from './json.ts';

/** Field of the state, and of the element that sets it first. A button and an overflow menu have no state. */
const FIELDS: Record<string, { field: string; initial: string; empty: unknown }> = {
  plain_text_input: { field: 'value', initial: 'initial_value', empty: null },
  static_select: { field: 'selected_option', initial: 'initial_option', empty: null },
  external_select: { field: 'selected_option', initial: 'initial_option', empty: null },
  radio_buttons: { field: 'selected_option', initial: 'initial_option', empty: null },
  multi_static_select: { field: 'selected_options', initial: 'initial_options', empty: [] },
  multi_external_select: { field: 'selected_options', initial: 'initial_options', empty: [] },
  checkboxes: { field: 'selected_options', initial: 'initial_options', empty: [] },
  users_select: { field: 'selected_user', initial: 'initial_user', empty: null },
  channels_select: { field: 'selected_channel', initial: 'initial_channel', empty: null },
  conversations_select: { field: 'selected_conversation', initial: 'initial_conversation', empty: null },
  datepicker: { field: 'selected_date', initial: 'initial_date', empty: null },
  timepicker: { field: 'selected_time', initial: 'initial_time', empty: null },
  datetimepicker: { field: 'selected_date_time', initial: 'initial_date_time', empty: null },
};

export const stateField = (element: Json): string | undefined => FIELDS[String(element.type)]?.field;

export type Values = Record<string, Record<string, Json>>;

/**
 * State after the view has these blocks. What stands under the same block and action id is kept, whatever `initial_…`
 * says now; a choice that is no longer offered is lost.
 */
export function stateOf(blocks: Json[], before: Values = {}): Values {
  const values: Values = {};
  for (const block of blocks) {
    for (const element of elementsOf(block)) {
      const known = FIELDS[String(element.type)];
      if (known === undefined) continue;
      const [blockId, actionId] = [String(block.block_id), String(element.action_id)];
      const old = before[blockId]?.[actionId];
      const value = old?.type === element.type ? kept(element, old?.[known.field]) : element[known.initial];
      values[blockId] = { ...values[blockId], [actionId]: { type: element.type, [known.field]: value ?? known.empty } };
    }
  }
  return values;
}

function kept(element: Json, value: unknown): unknown {
  if (element.options === undefined && element.option_groups === undefined) return value;
  const offered = new Set(optionsOf(element).map((option) => option.value));
  if (Array.isArray(value)) return objects(value).filter((option) => offered.has(option.value));
  return isObject(value) && offered.has(value.value) ? value : undefined;
}

export const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
