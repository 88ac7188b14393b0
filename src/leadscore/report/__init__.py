"""What people read: pages, workbook, model card."""
