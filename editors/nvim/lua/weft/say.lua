-- Messages that never ask for a key: one line, cut to what the screen has room for. Whole they are in :checkhealth weft
-- and in Neovim's LSP log.
---@param text string
---@param level? integer of vim.log.levels
return function(text, level)
  text = vim.split(vim.trim(text), '\n', { plain = true })[1]
  if not vim.startswith(text, 'weft: ') then
    text = 'weft: ' .. text
  end
  vim.schedule(function()  -- after the file's own message, which would make it two lines
    local hint = ' … :checkhealth weft'
    if vim.fn.strdisplaywidth(text) > vim.v.echospace then
      text = vim.fn.strcharpart(text, 0, vim.v.echospace - vim.fn.strdisplaywidth(hint)) .. hint
    end
    vim.notify(text, level or vim.log.levels.INFO)
  end)
end
