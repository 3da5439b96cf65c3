/**
 * Rules for the blocks of a message and of a view.
 *
 * @see https://docs.slack.dev/reference/block-kit/blocks
 */
import { isObject, type Json, objects } from '../json.ts';
import {
  also,
  anyText,
  boolean,
  type Check,
  list,
  object,
  type Problems,
  plainText,
  report,
  string,
  typed,
} from './check.ts';
import { accessory, action, image, input } from './elements.ts';
import { LIMITS } from './limits.ts';
import { richTextElements } from './rich-text.ts';

const block = (required: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  object(required, { block_id: string(LIMITS.blockId, 0), ...optional });

const section = also(
  block(
    {},
    {
      text: anyText(LIMITS.sectionText),
      fields: list(anyText(LIMITS.sectionField), LIMITS.sectionFields),
      accessory,
      expand: boolean,
    },
  ),
  (value, at, problems) => {
    if (value.text === undefined && value.fields === undefined) report(problems, at, 'missing required field: text');
  },
);

const contextElement: Check = (value, at, problems) =>
  isObject(value) && value.type === 'image' ? image(value, at, problems) : anyText(LIMITS.text)(value, at, problems);

const everywhere: Record<string, Check> = {
  section,
  divider: block({}),
  header: block({ text: plainText(LIMITS.header) }),
  context: block({ elements: list(contextElement, LIMITS.contextElements) }),
  actions: block({ elements: list(action, LIMITS.actionsElements) }),
  image: block(
    { image_url: string(LIMITS.imageUrl), alt_text: string(LIMITS.altText) },
    { title: plainText(LIMITS.imageTitle) },
  ),
  rich_text: block({ elements: richTextElements }),
};

const messageBlock = typed(everywhere);
const viewBlock = typed({
  ...everywhere,
  input: block(
    { label: plainText(LIMITS.label), element: input },
    { hint: plainText(LIMITS.hint), optional: boolean, dispatch_action: boolean },
  ),
});

/** Elements of a block that a person can use. */
export function elementsOf(one: Json): Json[] {
  if (one.type === 'actions') return objects(one.elements);
  if (one.type === 'section') return isObject(one.accessory) && one.accessory.type !== 'image' ? [one.accessory] : [];
  return one.type === 'input' && isObject(one.element) ? [one.element] : [];
}

/** Ids: a block's is unique in its message or view, an action's in its block. */
function idsOnce(blocks: Json[], at: string, problems: Problems): void {
  const seen = new Set<unknown>();
  for (const [index, one] of blocks.entries()) {
    if (one.block_id !== undefined && one.block_id !== '') {
      if (seen.has(one.block_id)) report(problems, `${at}/${index}/block_id`, 'block_id already exists');
      seen.add(one.block_id);
    }
    const actions = elementsOf(one).flatMap(({ action_id }) => (action_id === undefined ? [] : [action_id]));
    if (new Set(actions).size < actions.length) report(problems, `${at}/${index}`, 'action_id already exists');
  }
  const focused = blocks.flatMap(elementsOf).filter(({ focus_on_load }) => focus_on_load === true);
  if (focused.length > 1) report(problems, at, 'only one element can have focus_on_load');
}

/** @param min a message has blocks or none; to remove them an update gives an empty list */
export function checkMessageBlocks(value: unknown, at: string): Problems {
  const problems: Problems = [];
  list(messageBlock, LIMITS.blocksOfMessage, 0)(value, at, problems);
  idsOnce(objects(value), at, problems);
  return problems;
}

const modal = object(
  { title: plainText(LIMITS.viewTitle), blocks: list(viewBlock, LIMITS.blocksOfView) },
  {
    submit: plainText(LIMITS.viewButton),
    close: plainText(LIMITS.viewButton),
    private_metadata: string(LIMITS.privateMetadata, 0),
    callback_id: string(LIMITS.callbackId, 0),
    external_id: string(LIMITS.externalId, 0),
    clear_on_close: boolean,
    notify_on_close: boolean,
  },
);

/** @see https://docs.slack.dev/reference/views/modal-views */
export function checkView(value: unknown, at: string): Problems {
  const problems: Problems = [];
  typed({ modal })(value, at, problems);
  if (!isObject(value)) return problems;
  const blocks = objects(value.blocks);
  idsOnce(blocks, `${at}/blocks`, problems);
  if (value.submit === undefined && blocks.some(({ type }) => type === 'input')) {
    report(problems, at, 'missing required field: submit (a view with an input block needs it)');
  }
  return problems;
}

/** Slack gives each block and action without an id one of its own. */
export function withIds(value: unknown, newId: () => string): Json[] {
  return objects(structuredClone(value)).map((one) => {
    if (one.block_id === undefined || one.block_id === '') one.block_id = newId();
    for (const element of elementsOf(one)) element.action_id ??= newId();
    return one;
  });
}
