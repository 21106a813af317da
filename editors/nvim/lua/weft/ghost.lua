-- Keeps the suggestion on the screen true. Neovim draws inline completions, but it shows an answer whatever was typed
-- since, goes on showing one that the typing has left, and inserts one over what was typed through it. Here
--   screen()  drops answers that the buffer has outrun,
--   guard()   runs after Neovim drew: what stays on the screen stands at the cursor and is what accepting inserts,
--   accept()  inserts that, whole or in part.
-- Columns are bytes, rows count from 0.
local M = {}

local namespace = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
local group = vim.api.nvim_create_augroup('weft.ghost', {})

---@class weft.Item a suggestion and the place that it was made for
---@field row integer
---@field head string the line before the suggestion's range
---@field text string what the range becomes, starting with what had been typed of it
---@field over string what the suggestion replaces behind the cursor, mostly nothing
---@field tail string the line behind that
---@field shown string what Neovim was given: `text` without what had been typed of it

---@type table<integer, weft.Item[]> by buffer; what Neovim holds of weft's
local items_of = {}

---@param encoding string
---@param line string
---@param column integer in the units of `encoding`
---@return integer
local function byte_column(encoding, line, column)
  return vim.str_byteindex(line, encoding, column, false)
end

--- Nil: the item does not continue what stands before the cursor, so it cannot be shown there.
---@param item lsp.InlineCompletionItem
---@param asked { row: integer, col: integer, line: string, encoding: string }
---@return weft.Item?
local function place(item, asked)
  local text = item.insertText
  if type(text) ~= 'string' then
    return nil  -- weft sends no snippets
  end
  local from, to = asked.col, asked.col
  local range = item.range
  if range then
    if range.start.line ~= asked.row or range['end'].line ~= asked.row then
      return nil
    end
    from = byte_column(asked.encoding, asked.line, range.start.character)
    to = byte_column(asked.encoding, asked.line, range['end'].character)
  end
  local typed = asked.line:sub(from + 1, asked.col)
  if from > asked.col or to < asked.col or not vim.startswith(text, typed) then
    return nil
  end
  return {
    row = asked.row,
    head = asked.line:sub(1, from),
    text = text,
    over = asked.line:sub(asked.col + 1, to),
    tail = asked.line:sub(to + 1),
    shown = text:sub(#typed + 1),
  }
end

--- What accepting `item` would insert at the cursor as the buffer is now. Nil: it no longer fits.
---@param buf integer
---@param item weft.Item
---@return string? rest
local function rest_of(buf, item)
  if vim.api.nvim_get_current_buf() ~= buf then
    return nil
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  local line = vim.api.nvim_get_current_line()
  local typed = line:sub(#item.head + 1, cursor[2])
  local fits = cursor[1] - 1 == item.row
    and cursor[2] >= #item.head
    and vim.startswith(line, item.head)
    and vim.startswith(item.text, typed)
    and line:sub(cursor[2] + 1) == item.over .. item.tail
  local rest = fits and item.text:sub(#typed + 1) or ''
  return rest ~= '' and rest or nil
end

--- What Neovim has drawn, without its "(1/3)".
---@param buf integer
---@return string? text, table? mark
local function drawn(buf)
  local mark = vim.api.nvim_buf_get_extmarks(buf, namespace, 0, -1, { details = true })[1]
  if not mark then
    return nil
  end
  local lines = {}
  for _, chunks in ipairs({ mark[4].virt_text or {}, unpack(mark[4].virt_lines or {}) }) do
    local line = {}
    for _, chunk in ipairs(chunks) do
      if chunk[2] ~= 'ComplHintMore' then
        line[#line + 1] = chunk[1]
      end
    end
    lines[#lines + 1] = table.concat(line)
  end
  return table.concat(lines, '\n'), mark
end

--- The item that is on the screen, and what is left of it. `fits` is false where the buffer has left it.
---@param buf integer
---@param text string
---@return weft.Item?, string? rest
local function item_drawn(buf, text)
  local found
  for _, item in ipairs(items_of[buf] or {}) do
    if vim.endswith(item.text, text) then
      local rest = rest_of(buf, item)
      if rest == text then
        return item, rest
      end
      found = found and found.rest and found or { item = item, rest = rest }
    end
  end
  if found then
    return found.item, found.rest
  end
end

--- Makes what Neovim drew true, or takes it away. Other servers' suggestions are left alone.
---@param buf integer
function M.guard(buf)
  if not vim.api.nvim_buf_is_valid(buf) then
    return
  end
  local text, mark = drawn(buf)
  if not text or not mark then
    return
  end
  local item, rest = item_drawn(buf, text)
  if not item then
    return
  end
  if not rest then
    vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
    return
  end
  local cursor = vim.api.nvim_win_get_cursor(0)
  if rest == text and mark[3] == cursor[2] then
    return
  end
  -- Neovim also skips what stands behind the cursor and happens to begin like the suggestion; draw it where it goes.
  local lines = vim.split(rest, '\n', { plain = true })
  vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  vim.api.nvim_buf_set_extmark(buf, namespace, cursor[1] - 1, cursor[2], {
    virt_text = { { lines[1], 'ComplHint' } },
    virt_lines = vim.tbl_map(function(line)
      return { { line, 'ComplHint' } }
    end, vim.list_slice(lines, 2)),
    virt_text_pos = item.over == '' and 'inline' or 'overlay',
    hl_mode = 'combine',
  })
end

--- Runs guard() after Neovim's own autocommands of the same events; so they are made anew with every answer.
---@param buf integer
local function arm(buf)
  vim.api.nvim_clear_autocmds({ group = group, buffer = buf })
  vim.api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedI', 'TextChangedP', 'InsertEnter' }, {
    group = group,
    buffer = buf,
    callback = function(event)
      M.guard(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd('BufUnload', {
    group = group,
    buffer = buf,
    callback = function(event)
      items_of[event.buf] = nil
    end,
  })
end

--- Whether the cursor still is where the question was asked.
---@param buf integer
---@param asked { row: integer, col: integer, line: string }
---@return boolean
local function asked_here(buf, asked)
  local cursor = vim.api.nvim_win_get_cursor(0)
  return vim.api.nvim_get_current_buf() == buf
    and cursor[1] - 1 == asked.row
    and cursor[2] == asked.col
    and vim.api.nvim_get_current_line() == asked.line
end

--- Wraps the callback of an inline-completion request that is about to be sent.
---@param params lsp.InlineCompletionParams
---@param callback fun(err?: lsp.ResponseError, result: any, ...)
---@return fun(err?: lsp.ResponseError, result: any, ...)
function M.screen(params, callback)
  local buf = vim.uri_to_bufnr(params.textDocument.uri)
  local client = vim.lsp.get_clients({ name = 'weft', bufnr = buf })[1]
  local row = params.position.line
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1]
  if not client or not line then
    return callback
  end
  local encoding = client.offset_encoding
  local asked =
    { row = row, col = byte_column(encoding, line, params.position.character), line = line, encoding = encoding }

  return function(err, result, ...)
    if err or not result or not vim.api.nvim_buf_is_valid(buf) then
      return callback(err, result, ...)
    end
    local kept, placed = {}, {} ---@type lsp.InlineCompletionItem[], weft.Item[]
    for _, item in ipairs(result.items or result) do
      local own = place(item, asked)
      if own and rest_of(buf, own) then
        placed[#placed + 1] = own
        kept[#kept + 1] = vim.tbl_extend('force', item, {
          insertText = own.shown,
          range = {
            start = params.position,
            ['end'] = item.range and item.range['end'] or params.position,
          },
        })
      end
    end
    -- An answer to an older question must not wipe out what fits.
    local outrun = #kept == 0 and not asked_here(buf, asked)
    if outrun then
      return callback(nil, nil, ...)
    end
    items_of[buf] = placed
    callback(nil, kept, ...)
    arm(buf)
    M.guard(buf)
  end
end

--- What accepting would insert now. Nil: no suggestion of weft's is on the screen.
---@param buf integer
---@return string? rest, weft.Item?
function M.visible(buf)
  local text = drawn(buf)
  if not text then
    return nil
  end
  local item, rest = item_drawn(buf, text)
  return rest, item
end

--- Inserts `piece`, which is all or the beginning of what the item still has to give.
---@param buf integer
---@param item weft.Item
---@param rest string
---@param piece string
local function insert(buf, item, rest, piece)
  local cursor = vim.api.nvim_win_get_cursor(0)
  local row, col = cursor[1] - 1, cursor[2]
  local over = piece == rest and #item.over or 0
  local lines = vim.split(piece, '\n', { plain = true })
  vim.api.nvim_buf_set_text(buf, row, col, row, col + over, lines)
  local last = #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines == 1 and col + last or last })
end

--- Takes what `cut` leaves of the suggestion on the screen. False: there is none. Usable in an <expr> mapping.
---@param cut fun(rest: string): string
---@return boolean
function M.accept(cut)
  local buf = vim.api.nvim_get_current_buf()
  local _, item = M.visible(buf)
  if not item then
    return false
  end
  return vim.lsp.inline_completion.get({
    bufnr = buf,
    on_accept = function(chosen)
      local rest = rest_of(buf, item)
      if not rest then
        return nil
      end
      local piece = cut(rest)
      insert(buf, item, rest, piece)
      local client = vim.lsp.get_client_by_id(chosen.client_id)
      if piece == rest and chosen.command and client then
        client:exec_cmd(chosen.command, { bufnr = buf })
      end
      return nil  -- inserted already
    end,
  })
end

return M
