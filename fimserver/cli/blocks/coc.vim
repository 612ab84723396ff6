inoremap <silent><expr> <Tab> coc#inline#visible() ? coc#inline#accept() : "\<Tab>"
inoremap <silent><expr> <C-Right> coc#inline#visible() ? coc#inline#accept('word') : "\<C-Right>"
