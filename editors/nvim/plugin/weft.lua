-- Starts weft for every buffer of its file types, unless the user said `vim.g.weft_enabled = false` before.
if vim.g.loaded_weft then
  return
end
vim.g.loaded_weft = true

vim.api.nvim_create_user_command('WeftStatus', function()
  require('weft').status()
end, { desc = 'Show what weftd is doing' })

if vim.fn.has('nvim-0.12') == 0 then
  vim.notify_once('weft: needs Neovim 0.12 or newer, see :checkhealth weft', vim.log.levels.WARN)
elseif vim.g.weft_enabled ~= false then
  require('weft').enable()
end
